package topology

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/dislock/dislock"
	"github.com/dislock/dislock/backend"
)

// TestLostGrant is the failover that grants twice, step by step: the replica does not
// hear of a grant, the master dies, and the replica, which takes over, gives the key to
// another. The fence tells the two apart, and the first is told at its next renewal.
func TestLostGrant(t *testing.T) {
	t.Parallel()
	eachOpener(t, func(t *testing.T, p *pair, open opener) {
		const renewEvery = ttl / 3
		r := newResource()
		first, second := p.mutex(open), p.mutex(open)
		p.take(first, r).unlock(t) // the replica knows of a fence
		p.lag()
		stale := p.take(first, r)
		_, up := p.failOver()

		latest := p.take(second, r)
		if took := time.Since(up); took > generous/2 {
			t.Errorf("the second had the lock %v after the failover", took)
		}
		if len(r.doubles) != 1 {
			t.Fatalf("%d doubles, want one: else this test is about nothing", len(r.doubles))
		}
		if latest.lease.Fence() <= stale.lease.Fence() {
			t.Errorf("the second has the fence %d, the first %d", latest.lease.Fence(), stale.lease.Fence())
		}
		select {
		case <-stale.lease.Done():
			told := time.Since(up)
			t.Logf("told %v after the failover", told)
			if err := stale.lease.Err(); !errors.Is(err, dislock.ErrLost) || !errors.Is(err, backend.ErrNotOwner) {
				t.Errorf("told %v, want ErrLost because it is not the owner", err)
			}
			// The first renewal may find a dead connection, and is repeated.
			if most := renewEvery + ttl/4 + ttl/10; told > most {
				t.Errorf("told %v after the failover, want %v at most", told, most)
			}
		case <-time.After(ttl):
			t.Error("the first is not told")
		}
		stale.leave()
		if r.stale != 1 || r.refused != 1 {
			t.Errorf("%d stale writes, %d refused, want one and one", r.stale, r.refused)
		}
		if err := stale.lease.Unlock(context.Background()); !errors.Is(err, dislock.ErrLost) {
			t.Errorf("Unlock by the first: %v, want ErrLost", err)
		}
		if err := latest.lease.Err(); err != nil {
			t.Errorf("the second lost the lock by the first one's Unlock: %v", err)
		}
		latest.unlock(t)
		if len(r.wrong) > 0 || r.twice > 0 {
			t.Errorf("%v, %d fences given twice", r.wrong, r.twice)
		}
	})
}

// TestAwaitedGrant is the same with those who wait for the replica: it has not heard
// of the grant, so nobody believes in it.
func TestAwaitedGrant(t *testing.T) {
	t.Parallel()
	for i, name := range []string{"redigo", "goredis"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := startPair(t)
			open := throughAddress(p.address, 1)[i]
			r := newResource()
			first, second := p.mutex(open), p.mutex(open)
			p.take(first, r).unlock(t)
			p.lag()
			ctx, cancel := context.WithTimeout(context.Background(), 3*wait)
			defer cancel()
			if lease, err := first.LockContext(ctx); !errors.Is(err, dislock.ErrUnavailable) {
				t.Fatalf("%v, %v while the replica does not hear, want ErrUnavailable", lease, err)
			}
			p.failOver()
			p.restore() // or there is no replica to wait for
			p.take(second, r).unlock(t)
			if len(r.doubles) > 0 || r.number != 2 {
				t.Errorf("%d doubles, %d sections, want none and two", len(r.doubles), r.number)
			}
		})
	}
}

// TestLostRelease is the other thing that a failover can lose: the lock is free, but the
// new master does not know, until the lease ends that it does know.
func TestLostRelease(t *testing.T) {
	t.Parallel()
	eachOpener(t, func(t *testing.T, p *pair, open opener) {
		r := newResource()
		first, second := p.mutex(open), p.mutex(open)
		sent := time.Now()
		v := p.take(first, r)
		taken := time.Now()
		p.lag()
		v.unlock(t)
		p.failOver()
		v = p.take(second, r)
		if took := time.Since(sent); took < ttl || time.Since(taken) > ttl+generous/2 {
			t.Errorf("the lock was free again %v after it was taken, want the ttl of %v and hardly more", took, ttl)
		}
		v.unlock(t)
		if len(r.doubles)+len(r.late)+r.stale > 0 || len(r.wrong) > 0 {
			t.Errorf("%d doubles, %d late, %d stale, %v, want nothing", len(r.doubles), len(r.late), r.stale, r.wrong)
		}
	})
}

// eachOpener runs f with a pair of its own for each library.
func eachOpener(t *testing.T, f func(t *testing.T, p *pair, open opener)) {
	for i, name := range []string{"redigo", "goredis"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := startPair(t)
			f(t, p, throughAddress(p.address, 0)[i])
		})
	}
}

func (p *pair) mutex(open opener) *dislock.Mutex {
	b, shut := open()
	p.Cleanup(shut)
	return dislock.New(b, "k", dislock.WithTTL(ttl), dislock.WithLogger(discard))
}

// take locks, and enters.
func (p *pair) take(mu *dislock.Mutex, r *resource) *visit {
	p.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), ttl+generous)
	defer cancel()
	lease, err := mu.LockContext(ctx)
	if err != nil {
		p.Fatal(err)
	}
	return r.enter(lease)
}

// unlock leaves, and unlocks.
func (v *visit) unlock(t testing.TB) {
	t.Helper()
	v.leave()
	if err := v.lease.Unlock(context.Background()); err != nil {
		t.Error(err)
	}
}
