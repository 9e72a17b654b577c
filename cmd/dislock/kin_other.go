//go:build darwin || dragonfly || freebsd || netbsd || openbsd

package main

import (
	"errors"
	"syscall"
)

// find finds who lives, as far as that can be asked without a list of processes: the
// group, the command, and the group that the command leads if it has made one.
func (k *kin) find() {
	if k.Pid != 0 {
		if group, err := syscall.Getpgid(k.Pid); err == nil && group == k.Pid {
			k.known[-k.Pid] = 0
		} else if err == nil && group != k.Group {
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

// born returns when the process was, which nobody tells here.
func born(int) uint64 { return 0 }
