//go:build darwin || dragonfly || freebsd || linux || netbsd || openbsd

package main

import (
	"errors"
	"maps"
	"syscall"
	"time"
)

// A kin is whom a loss ends: the command, what it has started, and who else is in the
// group that it was put in. The group alone is not enough, because some leave it:
// timeout(1), setsid(1), shells that control jobs, another dislock run.
type kin struct {
	target
	known   map[int]uint64 // when those were born that were ever seen, by what kill(2) calls them
	members []member       // who lived at the latest look
	took    time.Duration  // that look
}

// A member is one of the kin that lives.
type member struct {
	to     int // for kill(2)
	born   uint64
	warned bool // by the SIGTERM that its group is sent, or its parent, which passes it on
}

func newKin(t target) *kin { return &kin{target: t, known: map[int]uint64{}} }

// learn takes over whom somebody else has found: their parents may be dead by now.
func (k *kin) learn(known map[int]uint64) { maps.Copy(k.known, known) }

// send sends s, unless the number is a stranger's by now.
func (m member) send(s syscall.Signal) {
	if m.born == born(m.to) {
		_ = syscall.Kill(m.to, s)
	}
}

// signal sends s to the group, and to those who had left it at the latest look.
func (k *kin) signal(s syscall.Signal) {
	if k.Group != 0 {
		_ = syscall.Kill(-k.Group, s)
	}
	for _, m := range k.members {
		if !m.warned {
			m.send(s)
		}
	}
}

// warn sends SIGTERM to those who were seen at the latest look.
func (k *kin) warn() {
	k.signal(syscall.SIGTERM)
	k.signal(syscall.SIGCONT) // who is stopped does not hear the first
}

// look finds who lives, and reports whether somebody does.
func (k *kin) look() bool {
	began := time.Now()
	k.find()
	k.took = time.Since(began)
	return len(k.members) > 0
}

// ask is find without a list of processes: it asks after the group, the command, and the
// group that the command leads if it has made one.
func (k *kin) ask() {
	if k.Pid != 0 {
		if group, err := syscall.Getpgid(k.Pid); err == nil && group == k.Pid {
			k.known[-k.Pid] = 0
		} else if err == nil && (k.Group == 0 || group != k.Group) { // a group of another namespace is 0
			k.known[k.Pid] = 0
		}
	}
	k.members = k.members[:0]
	for to := range k.known {
		if !errors.Is(syscall.Kill(to, 0), syscall.ESRCH) {
			k.members = append(k.members, member{to: to})
		}
	}
	// The last, because the guard may be in it itself.
	if k.Group != 0 && !errors.Is(syscall.Kill(-k.Group, 0), syscall.ESRCH) {
		k.members = append(k.members, member{to: -k.Group, warned: true})
	}
}

// spare returns what is left until one has to begin so that it is done by d. Where there
// are many processes a look is no small thing. But one that was slow must not cost a
// command whose lease is renewed.
func (k *kin) spare(d deadline) time.Duration { return d.left() - min(2*k.took, 250*time.Millisecond) }

// finish returns when nobody is left. It kills who is when d comes.
func (k *kin) finish(d deadline) {
	for k.spare(d) > 0 {
		if !k.look() {
			return
		}
		// Most of the time is for others, above all those who have to end.
		time.Sleep(min(k.spare(d), max(20*time.Millisecond, min(10*k.took, 200*time.Millisecond))))
	}
	k.kill()
}

// kill sends SIGKILL, again to those who were born meanwhile, until nobody is left: the
// lock must not be free before. It gives up after a second, for who is in the hands of
// the kernel, or another user's, may not die.
func (k *kin) kill() {
	for end := time.Now().Add(time.Second); k.look() && time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		// The group at one stroke, in which nobody can be born; but not with who does it.
		if k.Group != 0 && k.Group != syscall.Getpgrp() {
			_ = syscall.Kill(-k.Group, syscall.SIGKILL)
		}
		for _, m := range k.members {
			m.send(syscall.SIGKILL)
		}
	}
}
