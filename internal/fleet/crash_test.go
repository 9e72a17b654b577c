//go:build unix

package fleet

import (
	"slices"
	"testing"
	"time"
)

// TestKilledWaiters holds that those who die in line cost the others nothing.
func TestKilledWaiters(t *testing.T) {
	eachDriver(t, func(f *fleet) {
		holder := f.holder()
		dead, live := f.line(10), f.line(1)[0]
		for _, p := range dead {
			p.kill()
		}
		time.Sleep(20 * time.Millisecond)
		start := time.Now()
		holder.release()
		got := live.await("got", 10*time.Second)
		if took := got.At.Sub(start); took > generous {
			f.Errorf("the next that lives had the lock after %v, want no more than %v", took, generous)
		}
		live.release()
		live.await("wrote", 5*time.Second)
		f.exact()
	})
}

// TestFrozenWaiter holds that one who is frozen costs the others its claim.
func TestFrozenWaiter(t *testing.T) {
	eachDriver(t, func(f *fleet) {
		holder := f.holder()
		frozen, live := f.line(1)[0], f.line(1)[0]
		frozen.freeze()
		start := time.Now()
		holder.release()
		took := live.await("got", 10*time.Second).At.Sub(start)
		f.Logf("served after %v", took)
		if took < claim-10*time.Millisecond || took > claim+generous {
			f.Errorf("the next had the lock after %v, want a claim of %v and no more than %v beyond", took, claim, generous)
		}
		thawed(f, []*process{frozen}, live)
	})
}

// TestFrozenWaiters is about ten of them in a row.
func TestFrozenWaiters(t *testing.T) {
	eachDriver(t, func(f *fleet) {
		holder := f.holder()
		frozen, live := f.line(10), f.line(1)[0]
		for _, p := range frozen {
			p.freeze()
		}
		start := time.Now()
		holder.release()
		took := live.await("got", 20*time.Second).At.Sub(start)
		f.Logf("served after %v", took)
		// The one that lives asks next, and sets the line moving, when the lease may have
		// ended that it knows of: the holder's, which outlasts the first claim. From then
		// on it asks at the end of each, later by 5 ms for each place.
		if most := ttl + 9*claim + 45*5*time.Millisecond + generous; took > most {
			f.Errorf("the next had the lock after %v, want no more than %v", took, most)
		}
		thawed(f, frozen, live)
	})
}

// thawed lets those go on who were frozen when they were given the lock, while live
// holds it: none may believe to hold it, and all are served in the end.
func thawed(f *fleet, frozen []*process, live *process) {
	f.Helper()
	for _, p := range frozen {
		p.thaw()
	}
	time.Sleep(300 * time.Millisecond)
	for _, p := range frozen {
		p.silent("when it goes on while another holds the lock")
	}
	live.silent("while it holds the lock")
	start := time.Now()
	live.release()
	last := live.await("wrote", 5*time.Second).Fence

	waiting := slices.Clone(frozen)
	for len(waiting) > 0 {
		if time.Since(start) > 10*time.Second {
			f.Fatalf("%d of %d are not served", len(waiting), len(frozen))
		}
		i := slices.IndexFunc(waiting, func(p *process) bool { return len(p.events) > 0 })
		if i < 0 {
			time.Sleep(time.Millisecond)
			continue
		}
		p := waiting[i]
		waiting = slices.Delete(waiting, i, i+1)
		got := p.await("got", generous)
		if got.Fence <= last {
			f.Errorf("%s got fence %d after %d", p.name, got.Fence, last)
		}
		last = got.Fence
		p.release()
		p.await("wrote", 5*time.Second)
	}
	f.Logf("those that went on were served after %v", time.Since(start))
	// Some may have missed a turn that came while they were on their way to ask.
	if took := time.Since(start); took > time.Duration(len(frozen))*100*time.Millisecond+claim+generous {
		f.Errorf("it took %v to serve the %d that went on", took, len(frozen))
	}
	f.exact()
}

// TestKilledHolder holds that a holder that dies costs the others its ttl.
func TestKilledHolder(t *testing.T) {
	eachDriver(t, func(f *fleet) {
		holder := f.holder()
		line := f.line(3)
		holder.kill()
		start := time.Now()
		left := time.Duration(f.do("PTTL", lockKey).(int64)) * time.Millisecond
		took := line[0].await("got", 10*time.Second).At.Sub(start)
		f.Logf("served after %v, the lease had %v left", took, left)
		if took < left || took > left+generous {
			f.Errorf("the first had the lock after %v, want %v and no more than %v beyond", took, left, generous)
		}
		for i, p := range line[1:] {
			p.silent("while another holds the lock")
			line[i].release()
			line[i].await("wrote", 5*time.Second)
			p.await("got", generous)
		}
		line[2].release()
		line[2].await("wrote", 5*time.Second)
		f.exact()
	})
}
