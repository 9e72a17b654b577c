//go:build darwin || dragonfly || freebsd || linux || netbsd || openbsd

package main

import (
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"slices"
	"syscall"
)

// forwarded are the signals that run passes on to its command.
var forwarded = []os.Signal{
	syscall.SIGHUP, syscall.SIGINT, syscall.SIGQUIT, syscall.SIGTERM,
	syscall.SIGUSR1, syscall.SIGUSR2, syscall.SIGWINCH,
}

// A child is the command. It has the process group of its guard, or, on a terminal,
// stays in that of run: only the members of the one group that a terminal has in its
// foreground can read from it and hear of ^C and ^Z, and in a pipeline the others of
// that group are not ours to push into the background.
type child struct {
	cmd        *exec.Cmd
	kin        *kin
	foreground bool
	gone       chan struct{} // closed when it was reaped
}

// find looks for the command, so that a mistake in its name does not cost others the
// wait for a lock. The code is for an error.
func find(argv []string) (cmd *exec.Cmd, code int, err error) {
	cmd = exec.Command(argv[0], argv[1:]...)
	if cmd.Err == nil { // which it is for whatever path there is a slash in
		_, cmd.Err = exec.LookPath(argv[0])
	}
	return cmd, startCode(cmd.Err), cmd.Err
}

func startCode(err error) int {
	switch {
	case errors.Is(err, exec.ErrNotFound), errors.Is(err, exec.ErrDot), errors.Is(err, fs.ErrNotExist):
		return exitNotFound
	case errors.Is(err, syscall.EPERM): // of setpgid; who may not execute a file gets EACCES
		return exitSystem
	case errors.Is(err, fs.ErrPermission), errors.Is(err, syscall.ENOEXEC),
		errors.Is(err, syscall.EISDIR), errors.Is(err, syscall.ENOTDIR):
		return exitNoExec
	default:
		return exitSystem
	}
}

// startChild starts cmd under the eyes of g. The code is for an error.
func startChild(cmd *exec.Cmd, g *guardian, foreground bool) (c *child, code int, err error) {
	c = &child{cmd: cmd, foreground: foreground, gone: make(chan struct{})}
	var t target
	if !foreground {
		t.Group = g.group()
		g.watch(t) // before there is anybody whom it could be too late for
		cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pgid: t.Group}
	}
	if err := cmd.Start(); err != nil {
		return nil, startCode(err), err
	}
	t.Pid, t.Born = cmd.Process.Pid, born(cmd.Process.Pid)
	g.watch(t)
	c.kin = newKin(t)
	go func() {
		defer close(c.gone)
		_ = cmd.Wait() // code tells how it ended
	}()
	return c, exitOK, nil
}

// signal passes s on: to the whole group what means its end, as a terminal would, and
// the others to the command alone, whose helpers might die of them. On a terminal the
// command has had its signals already.
func (c *child) signal(s syscall.Signal) {
	switch {
	case c.foreground && slices.Contains([]syscall.Signal{syscall.SIGINT, syscall.SIGQUIT, syscall.SIGWINCH}, s):
	case c.foreground, s == syscall.SIGUSR1, s == syscall.SIGUSR2:
		_ = c.cmd.Process.Signal(s)
	default:
		c.kin.look()
		c.kin.signal(s) // also to who has left, and passes it on to its own, as timeout(1) does
	}
	switch s {
	case syscall.SIGHUP, syscall.SIGINT, syscall.SIGQUIT, syscall.SIGTERM:
		c.signal(syscall.SIGCONT) // who is stopped does not hear it
	}
}

// endedBy reports whether it was s that has ended the command.
func (c *child) endedBy(s syscall.Signal) bool {
	status := c.cmd.ProcessState.Sys().(syscall.WaitStatus)
	return status.Signaled() && status.Signal() == s
}

// code returns what to exit with when the command has ended by itself.
func (c *child) code() int {
	status := c.cmd.ProcessState.Sys().(syscall.WaitStatus)
	if status.Signaled() {
		return exitSignal(status.Signal())
	}
	return status.ExitStatus()
}
