//go:build darwin || dragonfly || freebsd || linux || netbsd || openbsd

package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"sync"
	"syscall"
	"time"
)

// A guardian is the guard as run sees it: it is told until when the command may live.
type guardian struct {
	cmd    *exec.Cmd
	orders *os.File
	ready  chan struct{}  // closed when signals to the group do not hurt it
	ending chan struct{}  // closed when it has begun to end the command
	gone   chan struct{}  // closed when it has ended; it is reaped by dismiss
	found  map[int]uint64 // whom it ends; to be read when ending is closed

	mu     sync.Mutex
	target target
	end    deadline
	final  bool
}

// startGuard starts a guard, which is this same program, and waits until it is ready. It
// dies without a trace if this process ends before there is a command. What it says goes
// to stderr, which is a file, or nil.
func startGuard(stderr io.Writer, grace time.Duration) (*guardian, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	r, w, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	defer r.Close()
	g := &guardian{orders: w, ready: make(chan struct{}), ending: make(chan struct{}), gone: make(chan struct{})}
	g.cmd = exec.Command(self, "guard", grace.String(), strconv.Itoa(syscall.Getpgrp()))
	g.cmd.Dir = "/" // not in the way of an umount
	g.cmd.Stdin, g.cmd.Stderr = r, stderr
	g.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	reports, err := g.cmd.StdoutPipe()
	if err != nil {
		w.Close()
		return nil, err
	}
	if err := g.cmd.Start(); err != nil {
		w.Close()
		return nil, fmt.Errorf("the guard does not start: %w", err)
	}
	go g.listen(reports)
	select {
	case <-g.ready:
		return g, nil
	case <-g.gone:
	case <-time.After(10 * time.Second): // somebody has stopped it
	}
	g.dismiss(nil)
	return nil, errors.New("the guard does not start")
}

// listen hears the guard's reports until it has gone.
func (g *guardian) listen(reports io.Reader) {
	defer close(g.gone)
	d := json.NewDecoder(reports)
	var ready, ending report
	if d.Decode(&ready) == nil {
		close(g.ready)
	}
	if d.Decode(&ending) == nil {
		g.found = ending.Kin
		close(g.ending)
	}
	_, _ = io.Copy(io.Discard, reports)
}

// group is the process group that the guard watches over. A guard that was killed is
// not reaped, so that the number does not become a stranger's while somebody uses it.
func (g *guardian) group() int { return g.cmd.Process.Pid }

// watch tells whom the guard is to end.
func (g *guardian) watch(t target) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.target = t
	g.tell()
}

// until tells the guard that the command may live until d.
func (g *guardian) until(d deadline) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if !g.final {
		g.end = d
		g.tell()
	}
}

// atLast is the last until.
func (g *guardian) atLast(d deadline) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.end, g.final = d, true
	g.tell()
}

// latest returns until when the command may live by what the guard was told.
func (g *guardian) latest() deadline {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.end
}

// tell writes the order. A guard that has gone does not hear it, which gone tells, nor
// one that is stopped. g.mu is held.
func (g *guardian) tell() { g.write(newOrder(g.target, g.end, g.final)) }

// write writes o if there is room for it, and loses it otherwise, rather than wait: it
// is called from within the renewal, and a guard that has left the pipe fill up is
// stopped. The kernel takes what is so short as a whole or not at all. A guard that
// misses an order knows an earlier deadline, which is safe.
func (g *guardian) write(o order) {
	b, err := json.Marshal(o)
	if err != nil {
		return
	}
	b = append(b, '\n')
	conn, err := g.orders.SyscallConn()
	if err != nil {
		return
	}
	_ = conn.Write(func(fd uintptr) bool {
		_, _ = syscall.Write(int(fd), b)
		return true // EAGAIN, too, is an answer
	})
}

// dismiss lets the guard go when the command has ended, and reports whether it was the
// guard that ended it. Then others of the kin may have a moment left to live. dismiss
// waits until it is over, and does what is left to do itself: the guard may have been
// killed or stopped amid it. Nobody has reaped it, so the group is still its own.
func (g *guardian) dismiss(k *kin) (ended bool) {
	defer func() {
		g.orders.Close()
		_ = g.cmd.Wait()
	}()
	g.mu.Lock()
	g.write(order{Done: true})
	g.mu.Unlock()
	select {
	case <-g.gone:
	case <-g.ending:
	case <-time.After(time.Second):
	}
	if !g.began() { // and may not begin any more
		_ = g.cmd.Process.Kill()
		<-g.gone
	}
	if !g.began() {
		return false
	}
	k.learn(g.found)
	k.finish(g.latest())
	select {
	case <-g.gone: // it has a last word to say
	case <-time.After(time.Second):
	}
	_ = g.cmd.Process.Kill()
	<-g.gone
	return true
}

func (g *guardian) began() bool { return closed(g.ending) }

func closed(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}
