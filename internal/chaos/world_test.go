//go:build unix

package chaos

import (
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/gomodule/redigo/redis"

	"github.com/dislock/dislock/backend"
	"github.com/dislock/dislock/internal/crew"
	"github.com/dislock/dislock/internal/history"
	"github.com/dislock/dislock/internal/redistest"
)

const (
	ttl   = 1500 * time.Millisecond
	claim = time.Second

	// slack is what a busy machine may take beyond a bound. If it stands still for
	// longer than Stall, that is noted as a fault.
	slack = 300 * time.Millisecond

	// notice is within which a holder asks, and learns that its lease is gone.
	notice = ttl / 3

	// generous is how long anything else may take.
	generous = 2 * time.Second
)

// A plan is what is to happen, and to whom.
type plan struct {
	worker string // the program
	driver string
	size   int // how many processes
	hands  int // of each
	keys   int
	pause  time.Duration // between two sections of a hand
	long   int           // one section in so many needs renewals:
	most   time.Duration // and lasts no longer
	worst  bool          // faults last as long as they can
	rests  bool          // now and then there are none
	seed   uint64
}

// A world is processes that share locks on one server, each by way of its own proxy.
type world struct {
	*testing.T
	plan
	draw     *rand.Rand // what happens, and when
	aim      *rand.Rand // to whom, which also depends on who has a lock at the moment
	dir      string     // where the histories go
	log      *history.Log
	crew     *crew.Crew
	server   *redistest.Server
	resource *redistest.Server
	names    []string // of the keys

	mu       sync.Mutex
	slots    []*slot
	started  int
	sections int
	faults   map[string]int
	recovery time.Duration // the longest that it took to serve everybody in a rest; of the test's goroutine
}

// A slot is a process, and those that take its place when it was killed.
type slot struct {
	world *world
	proxy *redistest.Proxy

	// All that follows is guarded by world.mu.
	name   string
	proc   *crew.Process
	served []time.Time // when each hand had the lock last; at first when it began
	hit    bool        // by a fault that is under way
}

func newWorld(t *testing.T, p plan) *world {
	t.Helper()
	w := &world{T: t, plan: p, draw: rand.New(rand.NewPCG(p.seed, 0)), aim: rand.New(rand.NewPCG(p.seed, 1)),
		crew: crew.New(t), faults: make(map[string]int)}
	w.dir = filepath.Join(t.TempDir(), "history")
	if *flagKeep != "" {
		w.dir = filepath.Join(*flagKeep, t.Name())
	}
	if err := os.MkdirAll(w.dir, 0o700); err != nil {
		t.Fatal(err)
	}
	var err error
	if w.log, err = history.Create(w.dir, "faults"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { w.log.Close() })
	// Every answer is preceded by a write to the kernel: what the server has said
	// outlives its death, though not the machine's.
	w.server = redistest.Start(t, "--appendonly", "yes", "--appendfsync", "no")
	w.resource = redistest.Start(t)
	for i := range p.keys {
		w.names = append(w.names, "key"+strconv.Itoa(i+1))
	}
	w.watch()
	t.Cleanup(w.calm) // before anything ends that a fault under way may need
	for range p.size {
		s := &slot{world: w, proxy: redistest.NewProxy(t, w.server.Addr())}
		w.slots = append(w.slots, s)
		if err := s.start(); err != nil {
			t.Fatal(err)
		}
	}
	return w
}

// start starts a process in the slot, of the plan's driver or of either by turns.
func (s *slot) start() error {
	w := s.world
	w.mu.Lock()
	w.started++
	driver := w.driver
	if driver == "mixed" {
		driver = []string{"redigo", "goredis"}[w.started%2]
	}
	name := fmt.Sprintf("%s-%d", driver, w.started)
	served := slices.Repeat([]time.Time{time.Now()}, w.hands)
	w.mu.Unlock()

	cmd := exec.Command(w.worker)
	cmd.Env = Job{Name: name, Driver: driver, Addr: s.proxy.Addr(), Resource: w.resource.Addr(), Dir: w.dir,
		Keys: w.names, Hands: w.hands, TTL: ttl, Claim: claim, Pause: w.pause, Long: w.long, LongFor: w.most}.Env()
	proc, err := w.crew.Start(cmd, func(line []byte) {
		hand, err := strconv.Atoi(string(line))
		w.mu.Lock()
		defer w.mu.Unlock()
		if err == nil && hand < len(served) {
			served[hand] = time.Now()
			w.sections++
		}
	})
	if err != nil {
		return err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	s.name, s.proc, s.served = name, proc, served
	return nil
}

// admin runs one command on the server.
func (w *world) admin(cmd string, args ...any) (any, error) {
	c, err := redis.Dial("tcp", w.server.Addr(), redis.DialConnectTimeout(generous), redis.DialReadTimeout(5*generous))
	if err != nil {
		return nil, err
	}
	defer c.Close()
	return c.Do(cmd, args...)
}

// holder returns the slot whose process holds some key, and nil if none does.
func (w *world) holder() *slot {
	for _, i := range w.aim.Perm(len(w.names)) {
		token, err := redis.String(w.admin("GET", "dislock:{"+w.names[i]+"}"))
		if err != nil {
			continue
		}
		w.mu.Lock()
		for _, s := range w.slots {
			if s.name == backend.Owner(token) {
				w.mu.Unlock()
				return s
			}
		}
		w.mu.Unlock()
	}
	return nil
}

// entered returns how often somebody has had a lock.
func (w *world) entered() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.sections
}

// starving returns which processes have a hand that has had no lock since then.
func (w *world) starving(since time.Time) (names []string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, s := range w.slots {
		if slices.ContainsFunc(s.served, func(at time.Time) bool { return at.Before(since) }) {
			names = append(names, s.name)
		}
	}
	return names
}

// settle waits until every hand of every process has been served again, and ends
// them all.
func (w *world) settle() {
	w.rest()
	for _, s := range w.slots {
		s.proc.Stop()
	}
	for _, s := range w.slots {
		select {
		case <-s.proc.Gone:
		case <-time.After(4*ttl + generous):
			w.Errorf("%s does not end", s.name)
		}
	}
}

// leftovers checks that the locks are free again, and that the store will forget the
// rest.
func (w *world) leftovers() {
	held := func() (held []string) {
		for name := range w.server.Keys(w) {
			for _, key := range w.names {
				if name == "dislock:{"+key+"}" {
					held = append(held, name)
				}
			}
		}
		return held
	}
	for end := time.Now().Add(ttl + generous); len(held()) > 0; time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			w.Errorf("%q are still there", held())
			break
		}
	}
	for name, left := range w.server.Keys(w) {
		if left < 0 {
			w.Errorf("%s never expires", name)
		}
	}
}
