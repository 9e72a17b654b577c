//go:build linux

package main

import (
	"bufio"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// family starts a shell that starts who leaves its group and its session, and returns the
// shell, its kin, and the leaver's process id. The shell ends when its input does.
func family(t *testing.T) (cmd *exec.Cmd, k *kin, leaver int, end func()) {
	t.Helper()
	cmd = exec.Command("sh", "-c", `setsid sh -c 'echo $$; sleep 20; :' & read -r line`)
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	line, _ := bufio.NewReader(out).ReadString('\n')
	leaver, err = strconv.Atoi(strings.TrimSpace(line))
	if err != nil {
		t.Fatal(err)
	}
	pid := cmd.Process.Pid
	k = newKin(target{Pid: pid, Born: born(pid)})
	t.Cleanup(func() {
		k.kill()
		in.Close()
		_ = cmd.Wait()
	})
	return cmd, k, leaver, func() { in.Close() }
}

// TestKinIsRemembered holds that who was seen once is ended though its parent has died,
// with what it has started, and that kill returns when all of them are dead.
func TestKinIsRemembered(t *testing.T) {
	t.Parallel()
	cmd, k, leaver, end := family(t)
	eventually(t, "sleep", func() bool { k.look(); return len(k.members) == 3 })
	end()
	eventually(t, "end of the shell", func() bool { k.look(); return len(k.members) == 2 })
	if p, _ := processOf(leaver); p.parent == cmd.Process.Pid {
		t.Fatal("the shell is still there")
	}
	k.kill()
	if p, ok := processOf(leaver); ok && !p.dead {
		t.Error("the leaver lives")
	}
	if k.look() {
		t.Errorf("%v live", k.members)
	}
	began := time.Now()
	k.finish(after(began, 2*generous))
	if took := time.Since(began); took > generous {
		t.Errorf("nobody was left, and finish waited for %v", took)
	}
}

// TestKinLearns holds that what a guard has found is as good as seen.
func TestKinLearns(t *testing.T) {
	t.Parallel()
	cmd, k, leaver, _ := family(t)
	heir := newKin(target{})
	heir.learn(map[int]uint64{leaver: born(leaver)})
	eventually(t, "sleep", func() bool { heir.look(); return len(heir.members) == 2 })
	heir.kill()
	k.look()
	if len(k.members) != 1 || k.members[0].to != cmd.Process.Pid {
		t.Errorf("%v live, want the shell alone, which is no kin of them", k.members)
	}
}

// TestKinIsNoStranger holds that nobody is taken for one of the kin, or ended in its
// place, who has its number only.
func TestKinIsNoStranger(t *testing.T) {
	t.Parallel()
	cmd, k, leaver, _ := family(t)
	pid := cmd.Process.Pid
	if newKin(target{Pid: pid, Born: born(pid) + 1}).look() {
		t.Error("a stranger was taken for the command")
	}
	other := newKin(target{})
	other.learn(map[int]uint64{leaver: born(leaver) + 1})
	if other.look() {
		t.Error("a stranger was taken for one who was seen")
	}
	member{to: leaver, born: born(leaver) + 1}.send(syscall.SIGKILL)
	time.Sleep(50 * time.Millisecond)
	k.look()
	if p, ok := processOf(leaver); !ok || p.dead {
		t.Error("a stranger was killed")
	}
}

// TestZombiesDoNotCount holds that nobody waits for the dead.
func TestZombiesDoNotCount(t *testing.T) {
	t.Parallel()
	cmd, k, _, _ := family(t)
	eventually(t, "sleep", func() bool { k.look(); return len(k.members) == 3 })
	began := time.Now()
	k.kill() // the shell is not reaped before the test ends
	if took := time.Since(began); took > 900*time.Millisecond || k.look() {
		t.Errorf("after %v %v live", took, k.members)
	}
	if p, ok := processOf(cmd.Process.Pid); !ok || !p.dead {
		t.Errorf("the shell is %v, want a zombie", p)
	}
}

func TestParseStat(t *testing.T) {
	t.Parallel()
	const rest = " 0 0 0 0 0 0 0 0 0 0 0 20 0 "
	for line, want := range map[string]process{
		"7 (sh) S 6 5 4" + rest + "1 0 99 1 1\n":          {6, 5, 99, false},
		"7 (a) R 1 (b) ) S 6 5 4" + rest + "1 0 99 1\n":   {6, 5, 99, false},
		"7 (a\n) Z 6 5 4" + rest + "1 0 99 1\n":           {6, 5, 99, true},
		"7 (leader) Z 6 5 4" + rest + "2 0 99 1\n":        {6, 5, 99, false},
		"7 (dead) X 6 5 4" + rest + "0 0 99 1\n":          {6, 5, 99, true},
		"7 (late) S 6 5 4" + rest + "1 0 99999999999 1\n": {6, 5, 99999999999, false},
		"7 (stopped) T -1 0 4" + rest + "1 0 99 1 2 3\n":  {-1, 0, 99, false},
	} {
		if p, ok := parseStat([]byte(line)); !ok || p != want {
			t.Errorf("%q is %v %v, want %v", line, p, ok, want)
		}
	}
	for _, line := range []string{"", "7 (sh) S 6 5", "7 (sh) S x 5 4" + rest + "1 0 99 1"} {
		if p, ok := parseStat([]byte(line)); ok {
			t.Errorf("%q is %v, want none", line, p)
		}
	}
}

// TestKinWithoutAList is about systems that do not list their processes: the command is
// found in the group that it was put in, in one of its own, or alone, and nobody when it
// is dead.
func TestKinWithoutAList(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		leads bool
		at    func(pid int) target
		want  func(pid int) int
	}{
		"in the group":       {true, func(pid int) target { return target{Group: pid} }, func(pid int) int { return -pid }},
		"in one of its own":  {true, func(pid int) target { return target{Pid: pid} }, func(pid int) int { return -pid }},
		"alone":              {false, func(pid int) target { return target{Pid: pid} }, func(pid int) int { return pid }},
		"left for its own":   {true, func(pid int) target { return target{Group: 1 << 30, Pid: pid} }, func(pid int) int { return -pid }},
		"not started so far": {true, func(int) target { return target{} }, nil},
	} {
		cmd := exec.Command("sleep", "20")
		cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: c.leads}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		k := newKin(c.at(cmd.Process.Pid))
		k.ask()
		if c.want == nil {
			if len(k.members) != 0 {
				t.Errorf("%s: found %v", name, k.members)
			}
			_ = cmd.Process.Kill()
		} else if len(k.members) != 1 || k.members[0].to != c.want(cmd.Process.Pid) {
			t.Errorf("%s: found %v, want %d", name, k.members, c.want(cmd.Process.Pid))
			_ = cmd.Process.Kill()
		} else {
			_ = syscall.Kill(k.members[0].to, syscall.SIGKILL)
		}
		_ = cmd.Wait()
		if k.ask(); len(k.members) != 0 {
			t.Errorf("%s: found %v after its death", name, k.members)
		}
	}
}
