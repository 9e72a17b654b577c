//go:build darwin || dragonfly || freebsd || linux || netbsd || openbsd

package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os/signal"
	"strconv"
	"syscall"
	"time"
)

// A watchdog ends the command before the lease that it runs under can end on the store.
// It is a process of its own, so that it does so also when the one that holds the lease
// is killed, or stands still.
//
// Its process group is the one that the command is put in. So there is no moment in
// which the command lives and the watchdog does not know how to reach it, and the
// number of the group belongs to nobody else for as long as the watchdog lives.
type watchdog struct {
	env
	grace  time.Duration
	home   int // the process group of run
	target int // for kill(2)
	end    deadline
}

// guard is the subcommand that run starts: dislock guard GRACE GROUP.
func guard(e env, args []string) int {
	if len(args) != 2 {
		return e.misuse("guard is for dislock run alone")
	}
	grace, err := time.ParseDuration(args[0])
	home, err2 := strconv.Atoi(args[1])
	if err != nil || err2 != nil {
		return e.misuse("guard is for dislock run alone")
	}
	// What the command's group is sent is not for the guard; nor shall it die of a
	// reader that has gone.
	signal.Ignore(append(forwarded, syscall.SIGPIPE, syscall.SIGALRM, syscall.SIGTSTP, syscall.SIGTTIN, syscall.SIGTTOU)...)
	said := newCourier(e.stderr)
	defer said.close()
	e.stderr = said
	(&watchdog{env: e, grace: grace, home: home}).watch()
	return exitOK
}

// watch follows the orders on stdin. Their end is that of run: then nobody will renew
// the lease any more.
func (w *watchdog) watch() {
	orders := make(chan order)
	go func() {
		defer close(orders)
		d := json.NewDecoder(w.stdin)
		for {
			var o order
			if d.Decode(&o) != nil {
				return
			}
			orders <- o
		}
	}()
	tick := time.NewTicker(20 * time.Millisecond)
	tick.Stop()
	for {
		select {
		case o, ok := <-orders:
			if !ok {
				w.orphaned()
				return
			}
			if o.Done {
				return
			}
			w.target, w.end = o.Target, o.deadline()
			tick.Reset(w.pause())
		case <-tick.C:
			tick.Reset(w.pause())
		}
		if w.target != 0 && w.end.left() <= w.grace {
			w.warn()
			w.finish()
			return
		}
	}
}

// pause returns how long to wait for the next look at the clocks: not for longer than a
// moment, because a timer runs on one of them only.
func (w *watchdog) pause() time.Duration {
	return min(max(w.end.left()-w.grace, time.Millisecond), 250*time.Millisecond)
}

// orphaned ends the command of a run that was killed.
func (w *watchdog) orphaned() {
	if w.target == 0 || !w.alive() {
		return
	}
	// At least so long that the watchdog, which may die with the group, can say why.
	if d := after(time.Now(), max(w.grace, 10*time.Millisecond)); d.left() < w.end.left() {
		w.end = d
	}
	w.warn()
	alone := ""
	if w.target > 0 {
		alone = ", but not what it has started"
	}
	w.say("dislock run was killed; its command is being ended, too%s", alone)
	w.finish()
}

// warn sends SIGTERM.
func (w *watchdog) warn() {
	fmt.Fprintln(w.stdout, "ending") // before anybody can die of it: run has to know why
	if w.grace > 0 {
		_ = syscall.Kill(w.target, syscall.SIGTERM)
		_ = syscall.Kill(w.target, syscall.SIGCONT) // who is stopped does not hear it
	}
}

// finish sends SIGKILL when the time has come. It returns when there is nobody left, if
// it can know that.
func (w *watchdog) finish() {
	// As a member of the group the watchdog would never see it empty. There is no group
	// to go home to when run was killed; then it stays, and dies with the others.
	_ = syscall.Setpgid(0, w.home)
	for left := w.end.left(); left > 0; left = w.end.left() {
		if !w.alive() {
			return
		}
		time.Sleep(min(left, 20*time.Millisecond))
	}
	_ = syscall.Kill(w.target, syscall.SIGKILL)
}

// alive reports whether there is somebody to kill. It says yes if that is itself.
func (w *watchdog) alive() bool {
	return !errors.Is(syscall.Kill(w.target, 0), syscall.ESRCH)
}
