//go:build unix

package fleet

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"time"

	"github.com/dislock/dislock/internal/crew"
)

// A process is one worker, seen from outside.
type process struct {
	*crew.Process
	fleet  *fleet
	name   string
	events chan event
}

// start starts a worker of the fleet's driver, or of either by turns.
func (f *fleet) start(loops bool) *process {
	f.Helper()
	return f.launch(job{Loops: loops})
}

// launch starts a worker that does j. One that is under load has one processor, and
// gives way to everybody else.
func (f *fleet) launch(j job) *process {
	f.Helper()
	f.mu.Lock()
	f.size++
	driver := f.driver
	if driver == "mixed" {
		driver = []string{"redigo", "goredis"}[f.size%2]
	}
	p := &process{fleet: f, name: fmt.Sprintf("%s %d", driver, f.size), events: make(chan event, 10_000)}
	f.mu.Unlock()

	self, err := os.Executable()
	if err != nil {
		f.Fatal(err)
	}
	j.Addr, j.Driver = f.server.Addr(), driver
	text, _ := json.Marshal(j)
	cmd := exec.Command(self)
	cmd.Env = append(os.Environ(), workerVariable+"="+string(text))
	if j.Load != nil {
		cmd = exec.Command("nice", "-n", "19", self)
		cmd.Env = append(os.Environ(), workerVariable+"="+string(text), "GOMAXPROCS=1")
	}
	p.Process, err = f.crew.Start(cmd, func(line []byte) {
		var e event
		if json.Unmarshal(line, &e) == nil {
			p.events <- e
		}
	})
	if err != nil {
		f.Fatal(err)
	}
	go func() {
		<-p.Gone
		close(p.events)
	}()
	return p
}

func (p *process) kill() { p.Kill() }

func (p *process) freeze() {
	p.fleet.Helper()
	if frozen, err := p.Freeze(); !frozen {
		p.fleet.Fatalf("%s does not stand still: %v", p.name, err)
	}
}

func (p *process) thaw() { p.Thaw() }

// release asks the process to unlock and end.
func (p *process) release() { p.Stop() }

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
