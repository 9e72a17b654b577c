package main

import (
	"bytes"
	"os"
	"strconv"
	"sync"
)

// A process is what /proc tells of one.
type process struct {
	parent, group int
	born          uint64 // in ticks since the machine started
	dead          bool
}

// find finds who lives. Who was found once is known from then on, also when its parent is
// dead, or it leaves the group. A child whose parent was dead before the first look is
// some init's, and nobody's kin.
func (k *kin) find() {
	if !ours() {
		k.ask()
		return
	}
	all := processes()
	for pid, p := range all {
		if was, is := k.known[pid]; is && was != p.born {
			delete(k.known, pid)
		}
		// The leader of the group is the guard, and nobody to be ended.
		inGroup := k.Group != 0 && p.group == k.Group && pid != k.Group
		if inGroup || pid == k.Pid && p.born == k.Born {
			k.known[pid] = p.born
		}
	}
	// Who has died meanwhile is forgotten only after this: it may have died between the
	// reading of its children and its own.
	for before := -1; before < len(k.known); {
		before = len(k.known)
		for pid, p := range all {
			if _, is := k.known[p.parent]; is {
				k.known[pid] = p.born
			}
		}
	}
	k.members = k.members[:0]
	home := k.Group
	if home == 0 {
		home = all[k.Pid].group
	}
	for pid, born := range k.known {
		switch p, is := all[pid]; {
		case !is:
			delete(k.known, pid)
		case !p.dead:
			warned := k.Group != 0 && p.group == k.Group || p.group != home && p.group == all[p.parent].group
			k.members = append(k.members, member{pid, born, warned})
		}
	}
}

// ours reports whether /proc lists processes by the numbers that they have for us. It may
// be hidden, or that of another namespace, in which the numbers are those of strangers.
var ours = sync.OnceValue(func() bool {
	self, _ := os.Readlink("/proc/self")
	return self == strconv.Itoa(os.Getpid())
})

// processes reads all of them that can be seen.
func processes() map[int]process {
	all := map[int]process{}
	dir, err := os.Open("/proc")
	if err != nil {
		return all
	}
	defer dir.Close()
	names, _ := dir.Readdirnames(-1)
	for _, name := range names {
		if pid, err := strconv.Atoi(name); err == nil {
			if p, ok := processOf(pid); ok {
				all[pid] = p
			}
		}
	}
	return all
}

func processOf(pid int) (p process, ok bool) {
	stat, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		return p, false
	}
	return parseStat(stat)
}

// parseStat reads a line of proc_pid_stat(5). The second field is a name in parentheses,
// which may have blanks and parentheses itself; what follows has none.
func parseStat(stat []byte) (p process, ok bool) {
	fields := bytes.Fields(stat[bytes.LastIndexByte(stat, ')')+1:])
	if len(fields) < 20 {
		return p, false
	}
	number := func(i int) (n int) {
		n, err := strconv.Atoi(string(fields[i-3])) // the manual page counts from 1, and the name is the second
		ok = ok && err == nil
		return n
	}
	ok = true
	p.parent, p.group = number(4), number(5)
	born, err := strconv.ParseUint(string(fields[22-3]), 10, 64) // some day more than an int has on a small machine
	p.born, ok = born, ok && err == nil
	// A leader whose threads go on without it is said to be a zombie, too.
	state := fields[0][0]
	p.dead = (state == 'Z' || state == 'X') && number(20) <= 1
	return p, ok
}

// born returns when the process was, 0 if there is none.
func born(pid int) uint64 {
	if !ours() {
		return 0
	}
	p, _ := processOf(pid)
	return p.born
}
