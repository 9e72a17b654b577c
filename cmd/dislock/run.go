//go:build darwin || dragonfly || freebsd || linux || netbsd || openbsd

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/dislock/dislock"
	"github.com/dislock/dislock/backend"
	"github.com/dislock/dislock/backend/goredis"
)

// A job is one dislock run.
type job struct {
	env
	runOptions
	signals chan os.Signal
	guard   *guardian
	keeper  *keeper
	mutex   *dislock.Mutex
	told    bool // that the command is being ended
	killed  bool // and not by the guard alone

	interrupted bool // SIGINT has ended the command, or the wait for the lock
}

// run runs a command while holding a lock, and returns what to exit with.
func run(e env, args []string) int {
	o, code, done := e.runOptions(args)
	if done {
		return code
	}
	client, err := e.connect(o.url)
	if err != nil {
		return e.misuse("run: %v", err)
	}
	j := &job{env: e, runOptions: o, signals: make(chan os.Signal, 16)}
	defer j.interrupt()
	defer client.Close()
	var guardSays io.Writer
	if o.quiet { // but not the command
		j.stderr = io.Discard
	} else {
		said := newCourier(e.stderr)
		defer said.close()
		j.stderr, guardSays = said, e.stderr
	}
	cmd, code, err := find(o.argv)
	if err != nil {
		j.say("%v", err)
		return code
	}
	for _, s := range forwarded {
		if !signal.Ignored(s) { // as by nohup, which is meant for the command, too
			signal.Notify(j.signals, s)
		}
	}
	defer signal.Stop(j.signals)
	// Who reads what we say may go, and shall not take us along. Not Ignore, which the
	// command would inherit.
	signal.Notify(make(chan os.Signal, 1), syscall.SIGPIPE)

	// The guard is there before the lock, so that the lock does not have to wait for it.
	if j.guard, err = startGuard(guardSays, o.grace); err != nil {
		j.say("%v", err)
		return exitSystem
	}
	logger := slog.New(logHandler{j.env})
	b := goredis.New(client, append(o.backend(), goredis.WithLogger(logger))...)
	defer b.Close()
	j.keeper = newKeeper(b, o.ttl, j.guard.until)
	options := append(o.mutex(), dislock.WithLogger(logger), dislock.WithHooks(j.hooks()))
	j.mutex = dislock.New(j.keeper, o.key, options...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = e.stdin, e.stdout, e.stderr
	return j.do(cmd)
}

// do runs cmd under the lock.
func (j *job) do(cmd *exec.Cmd) int {
	lease, code := j.lock()
	if lease == nil {
		j.guard.dismiss(nil)
		return code
	}
	cmd.Env = append(cmd.Environ(), "DISLOCK_KEY="+j.key, fmt.Sprintf("DISLOCK_FENCE=%d", lease.Fence()))
	c, code, err := startChild(cmd, j.guard, j.foreground)
	if err != nil {
		j.say("%v", err)
		j.guard.dismiss(nil)
		j.unlock(lease)
		return code
	}
	j.attend(c, lease)

	ended := j.guard.dismiss(c.kin) || j.killed
	if ended {
		j.tellEnding()
	}
	if j.unlock(lease) || ended {
		return exitLost
	}
	j.interrupted = c.endedBy(syscall.SIGINT)
	return c.code()
}

// attend is with the command until it has ended.
//
// It is the guard's part to end it in time. Should the guard be killed or stopped, attend
// kills the command at the last moment; it does not warn it, which would take a second
// hand that counts down like the guard's.
func (j *job) attend(c *child, lease *dislock.Lease) {
	lost, guardEnds, guardGone := lease.Done(), j.guard.ending, j.guard.gone
	end := j.keeper.until
	for {
		if c.kin.spare(end()) <= 0 && !closed(c.gone) {
			c.kin.kill()
			j.killed = true
			j.tellEnding()
		}
		// Once the guard has begun it may be killed amid it; and soon before the end, how
		// long a look takes has to be known.
		if guardEnds == nil || end().left() < 500*time.Millisecond {
			c.kin.look()
		}
		select {
		case <-c.gone:
			return
		case s := <-j.signals:
			c.signal(s.(syscall.Signal))
		case <-guardEnds:
			guardEnds = nil
			j.tellEnding()
			c.kin.learn(j.guard.found)
			d := j.guard.latest() // however long the lease is renewed
			end = func() deadline { return d }
		case <-guardGone:
			guardGone = nil
			if !j.guard.began() && !j.killed {
				j.say("the guard was killed; the command is still killed if the lock is lost, but not if dislock is killed")
			}
		case <-lost:
			lost = nil
			if guardEnds == nil {
				break // the end goes on as it has begun
			}
			d := after(time.Now(), j.grace)
			// There is still a lease to be dead before, unless it is gone from the store.
			if u := j.keeper.until(); !errors.Is(lease.Err(), backend.ErrNotOwner) && u.left() < d.left() {
				d = u
			}
			j.guard.atLast(d)
			end = func() deadline { return d }
		case <-time.After(min(max(c.kin.spare(end()), time.Millisecond), 200*time.Millisecond)):
		}
	}
}

func (j *job) tellEnding() {
	if j.told {
		return
	}
	j.told = true
	j.say("the lock %q is being lost: the command is ended, by SIGTERM and, after %v at most, SIGKILL", j.key, j.grace)
}

// unlock reports whether the lock was lost.
func (j *job) unlock(lease *dislock.Lease) (lost bool) {
	err := lease.Unlock(context.Background())
	if err != nil {
		j.say("%s", strings.TrimPrefix(err.Error(), "dislock: "))
	}
	return errors.Is(err, dislock.ErrLost)
}

// hooks tell the curious.
func (j *job) hooks() dislock.Hooks {
	if !j.verbose {
		return dislock.Hooks{}
	}
	return dislock.Hooks{
		Waiting:  func(i dislock.WaitingInfo) { j.say("waiting for %q: %v", i.Key, i.Reason) },
		Acquired: func(i dislock.AcquiredInfo) { j.say("holding %q with fence %d, after %v", i.Key, i.Fence, i.Took) },
		Released: func(i dislock.ReleasedInfo) { j.say("held %q for %v", i.Key, i.Held) },
	}
}
