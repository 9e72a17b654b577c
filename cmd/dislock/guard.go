//go:build darwin || dragonfly || freebsd || linux || netbsd || openbsd

package main

import (
	"encoding/json"
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
	grace time.Duration
	home  int // the process group of run
	kin   *kin
	end   deadline
	since time.Time // of the first look at which the time had nearly come, and there was no order after it
}

// listening is for how long there must have been no other order before the watchdog goes
// by the clock. One that stood still may find the deadline that it knows long passed,
// and a later one in the pipe.
const listening = 50 * time.Millisecond

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
	w := &watchdog{env: e, grace: grace, home: home, kin: newKin(target{})}
	w.report(report{})
	w.watch()
	return exitOK
}

func (w *watchdog) report(r report) { _ = json.NewEncoder(w.stdout).Encode(r) }

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
	tick := time.NewTicker(listening)
	tick.Stop()
	for {
		sure := false
		select {
		case o, ok := <-orders:
			if !ok {
				w.orphaned()
				return
			}
			if o.Done {
				return
			}
			w.kin.target, w.end, w.since, sure = o.target, o.deadline(), time.Time{}, o.Last
			if o.Pid != 0 && w.kin.took == 0 {
				w.kin.look() // how long that takes has to be known before it matters
			}
		case <-tick.C:
			if w.since.IsZero() && w.spare() <= listening {
				w.since = time.Now()
				w.kin.look()
			}
			sure = !w.since.IsZero() && time.Since(w.since) >= listening
		}
		if sure && w.spare() <= 0 && w.kin.target != (target{}) {
			w.warn()
			w.finish()
			return
		}
		tick.Reset(w.pause())
	}
}

// spare returns what is left until SIGTERM.
func (w *watchdog) spare() time.Duration { return w.kin.spare(w.end) - w.grace }

// pause returns how long to wait for the next look at the clocks: not for longer than a
// moment, because a timer runs on one of them only. There is one look shortly before the
// time has come, so that listening makes nothing late.
func (w *watchdog) pause() time.Duration {
	spare := w.spare()
	switch {
	case spare > listening:
		spare = min(spare-listening, 250*time.Millisecond)
	case w.since.IsZero():
		spare = 0
	default:
		spare = max(spare, listening-time.Since(w.since))
	}
	return max(spare, time.Millisecond)
}

// orphaned ends the command of a run that was killed.
func (w *watchdog) orphaned() {
	if !w.kin.look() {
		return
	}
	// At least so long that the watchdog, which may die with the group, can say why.
	if d := after(time.Now(), max(w.grace, 10*time.Millisecond)); d.left() < w.end.left() {
		w.end = d
	}
	w.warn()
	w.say("dislock run was killed; its command is being ended, too")
	w.finish()
}

// warn sends SIGTERM.
func (w *watchdog) warn() {
	if w.grace > 0 {
		w.kin.look() // before parents die of it, and nobody knows any more whose their children are
	}
	// Before anybody can die, run has to know why. What it does not read goes into the
	// pipe as long as it is short; run finds the others itself, if there are that many.
	r := report{Kin: w.kin.known}
	if len(r.Kin) > 100 {
		r = report{}
	}
	w.report(r)
	if w.grace > 0 {
		w.kin.warn()
	}
}

// finish sends SIGKILL when the time has come. It returns when there is nobody left, if
// it can know that.
func (w *watchdog) finish() {
	// The group is killed at one stroke, and not by one of its members. There is no group
	// to go home to when run was killed; then it stays.
	_ = syscall.Setpgid(0, w.home)
	w.kin.finish(w.end)
}
