//go:build unix

package fleet

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"runtime"
	"slices"
	"sync"
	"syscall"
	"time"

	"github.com/dislock/dislock"
	"github.com/dislock/dislock/backend"
)

// watchedTTL is that of leases that are not renewed, to see when Done closes.
const watchedTTL = 300 * time.Millisecond

// A load is what a worker does all the time beside using the lock.
type load struct {
	TTL     time.Duration
	Spins   int           // goroutines that never yield
	Waste   int           // goroutines that make garbage
	Hold    time.Duration // for how long it holds the lock each time
	Watches int           // leases whose Done is waited for
}

// Figures are what a worker under load has measured.
type figures struct {
	TTL      time.Duration
	Share    float64 // of one processor that it had
	Procs    int
	GCs      uint32
	Gaps     []time.Duration // between the requests of two renewals, one after the other
	Took     []time.Duration // the renewals
	Failures int             // renewals without an answer
	Late     []time.Duration // Done, after the deadline
}

// starve is the work of a worker under load: it uses the lock again and again, until
// ctx ends.
func starve(ctx context.Context, j job) {
	for range j.Load.Spins {
		go spin()
	}
	for range j.Load.Waste {
		go waste()
	}
	b := open(j.Driver, j.Addr)
	g := &gauge{figures: figures{TTL: j.Load.TTL}}
	var watches sync.WaitGroup
	for i := range j.Load.Watches {
		watches.Go(func() { g.watch(ctx, b, string(rune('a'+i))) })
	}
	start, used := time.Now(), cpuTime()
	mu := dislock.New(b, key, dislock.WithTTL(j.Load.TTL), dislock.WithLogger(slog.New(slog.DiscardHandler)), dislock.WithHooks(g.hooks()))
	for ctx.Err() == nil {
		g.begin()
		lease, err := mu.LockContext(ctx)
		if err != nil {
			break
		}
		tell(event{What: "got", Fence: lease.Fence()})
		s := believe(ctx, lease, j.Load.Hold, func() {})
		tell(event{What: "believed", Spell: &s})
	}
	watches.Wait()
	var memory runtime.MemStats
	runtime.ReadMemStats(&memory)
	g.mu.Lock()
	defer g.mu.Unlock()
	g.Share = float64(cpuTime()-used) / float64(time.Since(start))
	g.Procs, g.GCs = runtime.GOMAXPROCS(0), memory.NumGC
	tell(event{What: "measured", Figures: &g.figures})
}

// spin has no call in its loop: only a signal gets it off its processor.
func spin() {
	for x := uint64(1); ; x = x*6364136223846793005 + 1442695040888963407 {
		if x == 0 {
			os.Exit(3) // never in practice, and the compiler does not know
		}
	}
}

var wasted [64][]byte

func waste() {
	for i := 0; ; i++ {
		wasted[i%len(wasted)] = make([]byte, 32<<10)
	}
}

func cpuTime() time.Duration {
	var u syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// A gauge measures how late things happen in this process.
type gauge struct {
	mu   sync.Mutex
	last time.Time // when the last renewal was sent; zero: none of this lease
	figures
}

// begin forgets the last renewal: a new lease begins.
func (g *gauge) begin() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.last = time.Time{}
}

func (g *gauge) hooks() dislock.Hooks {
	return dislock.Hooks{
		Renewed: func(i dislock.RenewedInfo) {
			g.mu.Lock()
			defer g.mu.Unlock()
			sent := time.Now().Add(-i.Took)
			if !g.last.IsZero() {
				g.Gaps = append(g.Gaps, sent.Sub(g.last))
			}
			g.last = sent
			g.Took = append(g.Took, i.Took)
		},
		RenewalFailed: func(dislock.RenewalFailedInfo) {
			g.mu.Lock()
			defer g.mu.Unlock()
			g.Failures++
		},
	}
}

// watch measures how late Done closes.
func (g *gauge) watch(ctx context.Context, b backend.Backend, key string) {
	asked := &asker{Backend: b}
	mu := dislock.New(asked, key, dislock.WithTTL(watchedTTL), dislock.WithoutRenewal(), dislock.WithLogger(slog.New(slog.DiscardHandler)))
	for ctx.Err() == nil {
		lease, err := mu.LockContext(ctx)
		if err != nil {
			return
		}
		deadline := asked.last.Add(watchedTTL - watchedTTL/100 - 2*time.Millisecond)
		<-lease.Done()
		late := time.Since(deadline)
		_ = lease.Unlock(context.Background())
		g.mu.Lock()
		g.Late = append(g.Late, late)
		g.mu.Unlock()
	}
}

// An asker notes when a key was last asked for. It keeps no line.
type asker struct {
	backend.Backend
	last time.Time
}

func (a *asker) SetNX(ctx context.Context, key, token string, ttl time.Duration) (uint64, error) {
	a.last = time.Now()
	return a.Backend.SetNX(ctx, key, token, ttl)
}

// String says the times as the median, the 90th and 99th percentile and the most, in
// ttls.
func (f figures) String() string {
	return fmt.Sprintf("with %.2f of a processor; renewals: %d failed, gaps %s, took %s; Done late by %s",
		f.Share, f.Failures, spread(f.Gaps, f.TTL), spread(f.Took, f.TTL), spread(f.Late, f.TTL))
}

func spread(all []time.Duration, ttl time.Duration) string {
	if len(all) == 0 {
		return "-"
	}
	slices.Sort(all)
	at := func(percent int) float64 { return float64(all[(len(all)-1)*percent/100]) / float64(ttl) }
	return fmt.Sprintf("%.3f %.3f %.3f %.3f (of %d)", at(50), at(90), at(99), at(100), len(all))
}
