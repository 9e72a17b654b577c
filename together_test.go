package dislock_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/dislock/dislock"
	"github.com/dislock/dislock/backend"
	"github.com/dislock/dislock/backend/faulty"
	"github.com/dislock/dislock/backend/memory"
)

// The conditions of a round are the low bits of its seed, so that each set has its turn.
const faults, evictions, minHolds, maxHolds, noRenewal, anyway uint64 = 1, 2, 4, 8, 16, 32

const minHold, maxHold, ttl = 2 * time.Millisecond, 5 * time.Millisecond, dislock.MinTTL

// An event is what may happen, with which error, and under which of the conditions only.
type event struct {
	what  string
	err   error
	under uint64
}

var events = []event{
	{"LockContext", nil, anyway}, {"TryLockContext", nil, anyway}, {"Do", nil, anyway}, {"LockAll", nil, anyway}, {"TryLockAll", nil, anyway},
	{"Adopt", nil, anyway}, {"Detach", nil, anyway}, {"Evict", nil, evictions}, {"fail", dislock.ErrLost, anyway},
	{"fail", dislock.ErrClosed, anyway}, {"fail", context.DeadlineExceeded, anyway}, {"fail", dislock.ErrHeld, anyway},
	{"fail", dislock.ErrUnavailable, faults}, {"wait", nil, anyway}, {"acquire", nil, anyway}, {"pass", nil, anyway},
	{"give up", dislock.ErrClosed, anyway}, {"give up", dislock.ErrLost, anyway}, {"give up", context.DeadlineExceeded, anyway},
	{"renew", nil, anyway}, {"renew", dislock.ErrUnavailable, faults}, {"keep", nil, minHolds},
	{"release", nil, anyway}, {"release", dislock.ErrUnavailable, faults}, {"release again", nil, faults},
	{"lose", dislock.ErrClosed, anyway}, {"lose", dislock.ErrMaxHold, maxHolds},
	{"lose", backend.ErrNotOwner, faults | evictions | noRenewal}, {"lose", dislock.ErrLost, faults | noRenewal},
}

// TestTogether has processes lock the same keys in every way, until their groups are closed
// one after the other. Whatever crosses: one lease at a time is held on a key; fences grow;
// nothing happens without a cause; hooks come in pairs; who is closed holds nothing; in the
// end all is free. Each event has to be seen: where nothing happens, nothing is wrong.
//
// A seed repeats what is drawn, and not who runs first: what has failed may pass next time.
func TestTogether(t *testing.T) {
	seen := make([]atomic.Int64, len(events))
	for conditions := range anyway {
		seed := rand.Uint64()&^(anyway-1) | anyway | conditions
		t.Run(fmt.Sprintf("seed=%#x", seed), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				(&round{T: t, seed: seed, seen: seen, rand: rand.New(rand.NewPCG(seed, 0)), store: memory.New()}).run()
			})
		})
	}
	for i, e := range events {
		if seen[i].Load() == 0 && !t.Failed() {
			t.Errorf("never seen: %s, %v", e.what, e.err)
		}
	}
}

// A round is a store and the processes that share it.
type round struct {
	*testing.T
	seed      uint64
	seen      []atomic.Int64 // how often, by event
	store     *memory.Store
	processes [3]*process

	inside [3]atomic.Pointer[dislock.Lease] // under which somebody works, by key
	fences [3]atomic.Uint64                 // the latest of those
	kept   [3]atomic.Int64                  // until when the minimum hold of the latest lasts

	mu   sync.Mutex // guards rand, and what each process has open
	rand *rand.Rand
}

func (r *round) under(any uint64) bool { return r.seed&any != 0 }

func (r *round) saw(what string, err error) {
	i := slices.IndexFunc(events, func(e event) bool { return e.what == what && errors.Is(err, e.err) && r.under(e.under) })
	if i < 0 {
		r.Errorf("%s: %v", what, err)
		return
	}
	r.seen[i].Add(1)
}

func (r *round) roll(n int) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.rand.IntN(n)
}

func (r *round) upTo(most time.Duration) time.Duration { return time.Duration(r.roll(int(most))) }

func (r *round) run() {
	var crowd sync.WaitGroup
	for i := range r.processes {
		r.processes[i] = r.newProcess()
	}
	for i := range 12 {
		crowd.Go(r.processes[i%3].work)
	}
	for i, p := range r.processes {
		time.Sleep(r.upTo(ttl))
		if i == 2 { // the last one, of which nobody is in the way any more
			p.tired.Store(true)
			crowd.Wait()
			p.lockEach()
		}
		mustClose(r.T, p.group)
		synctest.Wait() // for a Lost that is on its way
		for of, n := range p.open {
			if n != 0 {
				r.Errorf("after Close, fence %d: %d are open", of, n)
			}
		}
	}
	time.Sleep(2 * minHold)
	if r.under(faults) { // what could not be given back ends by itself
		time.Sleep(2 * ttl)
	}
	for k := range r.inside {
		if _, err := r.store.SetNX(background, name(k), "anybody", ttl); err != nil {
			r.Errorf("in the end: %v", err)
		}
	}
}

// A process has a group, and a Mutex for each key.
type process struct {
	*round
	group   *dislock.Group
	mutexes [3]*dislock.Mutex
	tired   atomic.Bool    // its workers are to stop
	open    map[uint64]int // what has begun and not ended, as the hooks tell: holds, by fence, and waits, by 0
}

func name(key int) string { return fmt.Sprint("key", key) }

func (r *round) newProcess() *process {
	p := &process{round: r, group: dislock.NewGroup(), open: make(map[uint64]int)}
	network := faulty.New(r.store)
	network.AllOps(p.request)
	opts := []dislock.Option{quiet, dislock.WithGroup(p.group), dislock.WithHooks(p.hooks()), dislock.WithTTL(ttl), dislock.WithRenewEvery(ttl / 10),
		dislock.WithPassing(r.upTo(5 * minHold))}
	for i, opt := range []dislock.Option{dislock.WithMinHold(minHold), dislock.WithMaxHold(maxHold), dislock.WithoutRenewal()} {
		if r.under(minHolds << i) {
			opts = append(opts, opt)
		}
	}
	for k := range p.mutexes {
		p.mutexes[k] = dislock.New(network, name(k), opts...)
	}
	return p
}

// request is slow, and may fail. It ends within the bound of an Unlock that waits for it: one
// that gives up on a renewal in flight tells of a hold as released that was lost before.
func (p *process) request(ctx context.Context, call func(context.Context) error) error {
	time.Sleep(p.upTo(200 * time.Microsecond))
	faulty := []faulty.Fault{faulty.LoseRequest, faulty.LoseReply, faulty.Freeze, faulty.DelayReply(p.upTo(ttl / 5))}
	if n := p.roll(20); n < len(faulty) && p.under(faults) {
		return faulty[n](ctx, call)
	}
	defer time.Sleep(p.upTo(200 * time.Microsecond))
	return call(ctx)
}

func (p *process) hooks() dislock.Hooks {
	return dislock.Hooks{
		Waiting:       func(dislock.WaitingInfo) { p.tell("wait", nil, 0, 1) },
		GaveUp:        func(i dislock.GaveUpInfo) { p.tell("give up", i.Err, 0, -1) },
		Renewed:       func(dislock.RenewedInfo) { p.saw("renew", nil) },
		RenewalFailed: func(i dislock.RenewalFailedInfo) { p.saw("renew", i.Err) },
		Lost:          func(i dislock.LostInfo) { p.tell("lose", i.Err, i.Fence, -1) },
		Acquired: func(i dislock.AcquiredInfo) {
			p.tell("acquire", nil, i.Fence, 1)
			if i.Waited {
				p.tell("wait", nil, 0, -1)
			}
			if i.Attempts == 0 {
				p.saw("pass", nil)
			}
		},
		Released: func(i dislock.ReleasedInfo) {
			if i.Again {
				p.saw("release again", nil)
				return
			}
			p.tell("release", i.Err, i.Fence, -1)
			if p.under(minHolds) && i.Held < minHold {
				p.saw("keep", nil)
			}
		},
	}
}

func (p *process) tell(what string, err error, of uint64, more int) {
	p.saw(what, err)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.open[of] += more
	if n := p.open[of]; n < 0 || n > 1 && of != 0 {
		p.Errorf("%s, fence %d: %d are open", what, of, n)
	}
}

// lockEach finds no Mutex that nobody has left.
func (p *process) lockEach() {
	ctx, cancel := context.WithTimeout(background, 10*ttl)
	defer cancel()
	for _, m := range p.mutexes {
		l, err := m.LockContext(ctx)
		if err != nil {
			p.Errorf("nobody holds, and %v", err)
			continue
		}
		_ = p.letGo(l)
	}
}

// work locks, works, and unlocks, until the group is closed.
func (p *process) work() {
	for err := error(nil); !p.tired.Load() && (!errors.Is(err, dislock.ErrClosed) || errors.Is(err, dislock.ErrLost)); {
		if p.under(evictions) && p.roll(20) == 0 && p.store.Evict(name(0)) {
			p.saw("Evict", nil)
		}
		ctx, cancel := context.WithTimeout(background, p.upTo(40*time.Millisecond))
		way := events[p.roll(6)].what
		if err = p.turn(ctx, way, p.roll(3), p.roll(3)); err != nil {
			way = "fail"
		}
		p.saw(way, err)
		cancel()
	}
}

func (p *process) turn(ctx context.Context, way string, j, k int) error {
	switch way {
	case "LockContext":
		return p.one(ctx, j, (*dislock.Mutex).LockContext)
	case "TryLockContext":
		return p.one(ctx, j, (*dislock.Mutex).TryLockContext)
	case "LockAll":
		return p.two(ctx, j, k, dislock.LockAll)
	case "TryLockAll":
		return p.two(ctx, j, k, dislock.TryLockAll)
	case "Adopt":
		return p.handOn(ctx, j, p.processes[k])
	}
	return p.mutexes[j].Do(ctx, func(ctx context.Context) error { p.use(j, dislock.FromContext(ctx), time.Now()); return nil })
}

func (p *process) one(ctx context.Context, k int, lock func(*dislock.Mutex, context.Context) (*dislock.Lease, error)) error {
	l, err := lock(p.mutexes[k], ctx)
	if err == nil {
		p.use(k, l, time.Now())
		err = p.letGo(l)
	}
	return err
}

func (p *process) two(ctx context.Context, j, k int, lock func(context.Context, ...*dislock.Mutex) (*dislock.Leases, error)) error {
	all, err := lock(ctx, p.mutexes[j], p.mutexes[k])
	if err == nil {
		began := time.Now().Add(-minHold) // of one of them, and nobody knows of which
		p.use(j, all.Of(p.mutexes[j]), began)
		p.use(k, all.Of(p.mutexes[k]), began)
		err = all.Unlock(background)
	}
	return err
}

// handOn detaches a lease for another process to adopt.
func (p *process) handOn(ctx context.Context, k int, other *process) error {
	l, err := p.mutexes[k].LockContext(ctx)
	if err != nil {
		return err
	}
	if p.use(k, l, time.Now()); l.Detach(ctx) != nil {
		return p.letGo(l)
	}
	p.kept[k].Store(0) // is not handed on
	p.saw("Detach", nil)
	err = other.one(ctx, k, func(m *dislock.Mutex, ctx context.Context) (*dislock.Lease, error) {
		return m.Adopt(ctx, l.Token(), l.Fence())
	})
	if err != nil {
		_ = p.store.DeleteIfOwner(background, name(k), l.Token()) // nobody else knows of it
	}
	return err
}

// letGo unlocks until the store has answered, or the loss is known. From the first time on
// nobody holds.
func (p *process) letGo(l *dislock.Lease) error {
	for {
		err := l.Unlock(background)
		if !isDone(l) || l.Err() == nil {
			p.Errorf("%v is held after Unlock: %v", l, err)
		}
		if errors.Is(err, dislock.ErrLost) || !errors.Is(err, dislock.ErrUnavailable) {
			return err
		}
	}
}

func (p *process) use(k int, l *dislock.Lease, began time.Time) {
	other, fence := p.inside[k].Swap(l), p.fences[k].Swap(l.Fence())
	kept := p.under(minHolds) && p.kept[k].Swap(began.Add(minHold).UnixNano()) > time.Now().UnixNano()
	if k == 0 && p.under(evictions) || l.Err() != nil {
		// The store has given it away, or was about to.
	} else if other != nil && other.Err() == nil || fence > l.Fence() || kept {
		p.Errorf("%v is held beside %v, after fence %d, or in a minimum hold (%v)", l, other, fence, kept)
	}
	most := [...]time.Duration{4 * ttl, 20 * time.Millisecond, 20 * time.Millisecond, 500 * time.Microsecond}
	time.Sleep(p.upTo(most[min(p.roll(24), 3)]))
	p.inside[k].CompareAndSwap(l, nil)
}
