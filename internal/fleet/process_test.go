//go:build unix

package fleet

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"syscall"
	"time"
)

// A process is one worker, seen from outside.
type process struct {
	fleet  *fleet
	name   string
	cmd    *exec.Cmd
	stdin  io.Closer
	events chan event
	gone   chan struct{}
	frozen bool
}

// start starts a worker of the fleet's driver, or of either by turns.
func (f *fleet) start(loops bool) *process {
	f.Helper()
	f.mu.Lock()
	f.size++
	driver := f.driver
	if driver == "mixed" {
		driver = []string{"redigo", "goredis"}[f.size%2]
	}
	p := &process{fleet: f, name: fmt.Sprintf("%s %d", driver, f.size), events: make(chan event, 10_000), gone: make(chan struct{})}
	f.mu.Unlock()

	self, err := os.Executable()
	if err != nil {
		f.Fatal(err)
	}
	text, _ := json.Marshal(job{Addr: f.server.Addr(), Driver: driver, Loops: loops})
	p.cmd = exec.Command(self)
	p.cmd.Env = append(os.Environ(), workerVariable+"="+string(text))
	p.cmd.Stderr = os.Stderr
	if p.stdin, err = p.cmd.StdinPipe(); err != nil {
		f.Fatal(err)
	}
	stdout, err := p.cmd.StdoutPipe()
	if err != nil {
		f.Fatal(err)
	}
	if err := p.cmd.Start(); err != nil {
		f.Fatal(err)
	}
	fmt.Fprintln(f.guard, p.cmd.Process.Pid)
	go func() {
		defer close(p.gone)
		defer close(p.events)
		for d := json.NewDecoder(stdout); ; {
			var e event
			if d.Decode(&e) != nil {
				break
			}
			p.events <- e
		}
		_ = p.cmd.Wait()
	}()
	f.Cleanup(p.kill)
	return p
}

// kill ends the process as a power cut would.
func (p *process) kill() {
	_ = p.cmd.Process.Kill()
	<-p.gone
	_ = p.stdin.Close()
}

// freeze makes the process stand still, and returns when it does.
func (p *process) freeze() {
	p.fleet.Helper()
	if err := p.cmd.Process.Signal(syscall.SIGSTOP); err != nil {
		p.fleet.Fatal(err)
	}
	p.frozen = true
	for {
		var status syscall.WaitStatus
		switch _, err := syscall.Wait4(p.cmd.Process.Pid, &status, syscall.WUNTRACED, nil); {
		case errors.Is(err, syscall.EINTR):
		case err != nil || !status.Stopped():
			p.fleet.Fatalf("%s does not stand still: %v", p.name, err)
		default:
			return
		}
	}
}

// thaw lets it go on.
func (p *process) thaw() {
	p.frozen = false
	_ = p.cmd.Process.Signal(syscall.SIGCONT)
}

// release asks the process to unlock and end.
func (p *process) release() { _ = p.stdin.Close() }

// await returns the next event, which must be what, within d.
func (p *process) await(what string, d time.Duration) event {
	p.fleet.Helper()
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case e := <-p.events:
		if e.What != what {
			p.fleet.Fatalf("%s: %+v, want %s", p.name, e, what)
		}
		return e
	case <-t.C:
		p.fleet.Fatalf("%s: nothing within %v, want %s", p.name, d, what)
	}
	return event{}
}

// silent checks that the process has told nothing.
func (p *process) silent(when string) {
	p.fleet.Helper()
	select {
	case e := <-p.events:
		p.fleet.Errorf("%s, %s: %+v, want nothing", p.name, when, e)
	default:
	}
}
