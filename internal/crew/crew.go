//go:build unix

// Package crew starts processes for a test that kills and freezes them, and sees
// to it that none of them outlives the test, nor the test's own process.
package crew

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"sync"
	"syscall"
	"testing"
)

// A Crew is the processes of one test.
type Crew struct {
	tb testing.TB

	mu    sync.Mutex
	guard io.Writer
}

// New returns a Crew without members.
func New(tb testing.TB) *Crew {
	tb.Helper()
	c := &Crew{tb: tb}
	c.startGuard()
	return c
}

// guard is told by lines of who has been started and who is gone, whose number may be
// a stranger's from then on.
const guard = `trap "" HUP INT QUIT TERM
while read -r what pid; do
	case $what in
	started) pids="$pids $pid " ;;
	gone) pids="${pids%% $pid *} ${pids#* $pid }" ;;
	esac
done
[ -z "${pids## }" ] || kill -9 $pids`

// startGuard starts a shell that kills the members if this process dies: one that is
// frozen would not notice.
func (c *Crew) startGuard() {
	sh := exec.Command("sh", "-c", guard)
	stdin, err := sh.StdinPipe()
	if err == nil {
		err = sh.Start()
	}
	if err != nil {
		c.tb.Fatal(err)
	}
	c.guard = stdin
	c.tb.Cleanup(func() {
		_ = sh.Process.Kill() // before its pipe closes: the pids may be others' by now
		_ = sh.Wait()
	})
}

func (c *Crew) say(what string, pid int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	fmt.Fprintln(c.guard, what, pid)
}

// A Process is one member.
type Process struct {
	Gone <-chan struct{} // closed when it has ended, and what it wrote was heard

	cmd   *exec.Cmd
	stdin io.Closer

	mu     sync.Mutex
	frozen bool
	dead   bool
}

// Start starts cmd, which should end when its standard input does, and calls heard
// with each line that it writes, in one goroutine.
func (c *Crew) Start(cmd *exec.Cmd, heard func(line []byte)) (*Process, error) {
	cmd.Stderr = os.Stderr
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	c.say("started", cmd.Process.Pid)
	gone := make(chan struct{})
	p := &Process{Gone: gone, cmd: cmd, stdin: stdin}
	go func() {
		defer close(gone)
		for s := bufio.NewScanner(stdout); s.Scan(); {
			heard(s.Bytes())
		}
		_ = cmd.Wait()
		c.say("gone", cmd.Process.Pid)
	}()
	c.tb.Cleanup(p.Kill)
	return p, nil
}

// Kill ends the process as a power cut would, and returns when it is gone.
func (p *Process) Kill() {
	p.mu.Lock()
	p.dead = true
	p.mu.Unlock()
	_ = p.cmd.Process.Kill()
	<-p.Gone
	_ = p.stdin.Close()
}

// Freeze makes the process stand still, and returns when it does. It reports
// whether it did: the process may be dead, or frozen by somebody else.
func (p *Process) Freeze() (bool, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.dead || p.frozen {
		return false, nil
	}
	if err := p.cmd.Process.Signal(syscall.SIGSTOP); err != nil {
		return false, err
	}
	p.frozen = true
	for {
		var status syscall.WaitStatus
		switch _, err := syscall.Wait4(p.cmd.Process.Pid, &status, syscall.WUNTRACED, nil); {
		case errors.Is(err, syscall.EINTR):
		case err != nil:
			return false, err
		case !status.Stopped():
			return false, fmt.Errorf("it does not stand still: %v", status)
		default:
			return true, nil
		}
	}
}

// Thaw lets it go on.
func (p *Process) Thaw() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.frozen = false
	_ = p.cmd.Process.Signal(syscall.SIGCONT)
}

// Stop closes the standard input of the process, at which it should end.
func (p *Process) Stop() { _ = p.stdin.Close() }
