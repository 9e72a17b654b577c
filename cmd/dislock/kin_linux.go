package main

import (
	"bytes"
	"os"
	"strconv"
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
	all := processes()
	if _, ok := all[os.Getpid()]; !ok { // /proc may be hidden
		k.ask()
		return
	}
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
			warned := p.group == k.Group || p.group != home && p.group == all[p.parent].group
			k.members = append(k.members, member{pid, born, warned})
		}
	}
}

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
	p.parent, p.group, p.born = number(4), number(5), uint64(number(22))
	// A leader whose threads go on without it is said to be a zombie, too.
	state := fields[0][0]
	p.dead = (state == 'Z' || state == 'X') && number(20) <= 1
	return p, ok
}

// born returns when the process was, 0 if there is none.
func born(pid int) uint64 {
	p, _ := processOf(pid)
	return p.born
}
