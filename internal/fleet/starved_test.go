//go:build unix

package fleet

import (
	"context"
	"log/slog"
	"testing"
	"time"

	"github.com/dislock/dislock"
	"github.com/dislock/dislock/backend/redigo"
)

const (
	starvedTTL = time.Second

	// patience is for a worker to begin or to end, which gives way to all of a busy
	// machine.
	patience = 60 * time.Second
)

// TestStarved is about processes that get the lock and then hardly a processor. Err
// must be right whenever they ask; that they keep the lock is promised only to those
// who run.
func TestStarved(t *testing.T) {
	t.Parallel()
	t.Run("by its own load", func(t *testing.T) { eachStarved(t, starvedByItself) })
	t.Run("from outside", func(t *testing.T) {
		t.Run("by others", starvedByOthers)
		t.Run("by stops", func(t *testing.T) {
			t.Parallel()
			eachStarved(t, starvedByStops)
		})
	})
}

// eachStarved runs f with a fleet of either driver.
func eachStarved(t *testing.T, f func(f *fleet)) {
	for _, driver := range []string{"redigo", "goredis"} {
		t.Run(driver, func(t *testing.T) {
			t.Parallel()
			f(newFleet(t, driver))
		})
	}
}

// starvedByItself is about one who holds the lock while all its goroutines compute. Each
// of the three has its processor for 10 ms at a time, so that a renewal, and even a new
// connection, takes less than the quarter of the ttl that it may.
func starvedByItself(f *fleet) {
	p := f.launch(job{Load: &load{TTL: ttl, Spins: 1, Waste: 1, Hold: time.Hour, Watches: 3}})
	p.await("got", patience)
	rivals, _ := f.rival()
	time.Sleep(2500 * time.Millisecond)
	spells, measured := p.story()
	apart(f.T, append(rivals(), spells...))
	f.Log(p.name, measured)
	if measured.Procs != 1 || measured.GCs == 0 {
		f.Errorf("%d processors and %d collections, want 1 and some", measured.Procs, measured.GCs)
	}
	// On a busy machine it is starved by others as well.
	if spells[0].Lost && measured.Share > 0.9 {
		f.Errorf("the lock is lost, with %.0f %% of a processor", 100*measured.Share)
	}
}

// starvedByOthers is about more processes that compute than there are processors, and
// all want the lock.
func starvedByOthers(t *testing.T) {
	t.Parallel()
	f := newFleet(t, "mixed")
	var all []*process
	for range 8 {
		all = append(all, f.launch(job{Load: &load{TTL: starvedTTL, Spins: 1, Waste: 1, Hold: 200 * time.Millisecond}}))
	}
	time.Sleep(3 * time.Second)
	var spells []spell
	for _, p := range all {
		p.release()
	}
	for _, p := range all {
		ours, measured := p.story()
		spells = append(spells, ours...)
		f.Log(p.name, len(ours), "turns", measured)
	}
	apart(t, spells)
	if len(spells) < 2 {
		t.Errorf("%d turns, want some", len(spells))
	}
	f.free()
}

// starvedByStops is about one that stands still until another has its lock, and then
// runs for a twentieth of the time. It asks all the time: also the very moment that it
// goes on.
func starvedByStops(f *fleet) {
	p := f.launch(job{Load: &load{TTL: starvedTTL, Hold: time.Hour}})
	p.await("got", patience)
	rivals, got := f.rival()
	time.Sleep(100 * time.Millisecond) // for the rival to wait
	p.freeze()
	select {
	case <-got:
	case <-time.After(starvedTTL + generous):
		f.Error("it stood still for longer than the ttl, and the rival does not have the lock")
	}
	p.thaw()
	time.Sleep(20 * time.Millisecond)
	for range 12 {
		p.freeze()
		time.Sleep(95 * time.Millisecond)
		p.thaw()
		time.Sleep(5 * time.Millisecond)
	}
	spells, measured := p.story()
	others := rivals()
	lost := spells[0].Lost
	apart(f.T, append(others, spells...))
	f.Log(p.name, len(spells), "turns", measured)
	if !lost {
		f.Error("it stood still until another had its lock, and was not told")
	}
	f.free()
}

// rival has one who is not starved wait for the lock, again and again, until the
// function that it returns is called. That one returns when it held it. The channel
// says that it has it, for the first time.
func (f *fleet) rival() (stop func() []spell, got <-chan struct{}) {
	b := redigo.New(newNumber(f.server.Addr()).pool)
	mu := dislock.New(b, key, dislock.WithTTL(starvedTTL), dislock.WithLogger(slog.New(slog.DiscardHandler)))
	ctx, cancel := context.WithCancel(context.Background())
	ended, first := make(chan struct{}), make(chan struct{})
	var spells []spell
	go func() {
		defer close(ended)
		for ctx.Err() == nil {
			lease, err := mu.LockContext(ctx)
			if err != nil {
				return
			}
			if len(spells) == 0 {
				close(first)
			}
			s := believe(ctx, lease, 50*time.Millisecond, func() { time.Sleep(time.Millisecond) })
			s.Who = "the rival"
			spells = append(spells, s)
		}
	}()
	stop = func() []spell {
		cancel()
		<-ended
		b.Close()
		return spells
	}
	f.Cleanup(func() { stop() })
	return stop, first
}

// free checks that the lock can be had when all have let go, or what they left has ended.
func (f *fleet) free() {
	f.Helper()
	b := redigo.New(newNumber(f.server.Addr()).pool)
	defer b.Close()
	ctx, cancel := context.WithTimeout(context.Background(), starvedTTL+generous)
	defer cancel()
	lease, err := dislock.New(b, key, dislock.WithLogger(slog.New(slog.DiscardHandler))).LockContext(ctx)
	if err != nil {
		f.Errorf("the next: %v", err)
		return
	}
	_ = lease.Unlock(ctx)
}

// story has the process end, and returns what it believed and measured.
func (p *process) story() (spells []spell, measured figures) {
	p.fleet.Helper()
	p.release()
	late := time.After(patience)
	for {
		select {
		case e, ok := <-p.events:
			switch {
			case ok && e.Spell != nil:
				e.Spell.Who = p.name
				spells = append(spells, *e.Spell)
			case ok && e.Figures != nil:
				return spells, *e.Figures
			case !ok:
				p.fleet.Fatalf("%s has ended early", p.name)
			}
		case <-late:
			p.fleet.Fatalf("%s does not end", p.name)
		}
	}
}
