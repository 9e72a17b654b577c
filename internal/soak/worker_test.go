package soak

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"time"

	goredisclient "github.com/redis/go-redis/v9"

	"github.com/dislock/dislock"
	"github.com/dislock/dislock/backend"
)

// A worker makes one attempt after the other, each at a key and in a way that
// chance decides.
type worker struct {
	*crew
	backend backend.Backend
	shared  []*dislock.Mutex // by key; nil if the worker makes its own
	random  *rand.Rand
}

// maxThink is the longest pause between two attempts. It sets the load.
const maxThink = 60 * time.Millisecond

func (w *worker) loop(ctx context.Context) {
	for ctx.Err() == nil {
		time.Sleep(w.upTo(maxThink))
		w.gate.RLock()
		w.attempt()
		w.gate.RUnlock()
	}
}

func (w *worker) attempt() {
	k := w.random.IntN(keys)
	var mu *dislock.Mutex
	if w.shared != nil {
		mu = w.shared[k]
	} else {
		mu = w.newMutex(w.backend, k)
	}
	n := w.random.IntN(100)
	for _, way := range ways {
		if n -= way.percent; n < 0 {
			w.note(way.name, way.attempt(w, mu, k))
			return
		}
	}
}

// ways are how an attempt is made. Each returns an error that it does not expect.
var ways = []struct {
	name    string
	percent int
	attempt func(w *worker, mu *dislock.Mutex, k int) error
}{
	{"wait as long as it takes", 32, func(w *worker, mu *dislock.Mutex, k int) error {
		lease, err := mu.LockContext(context.Background())
		return w.stay(lease, err, k, w.upTo(maxStay))
	}},
	{"wait with a ctx", 10, func(w *worker, mu *dislock.Mutex, k int) error {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		lease, err := mu.LockContext(ctx)
		return w.stay(lease, err, k, w.upTo(maxStay))
	}},
	{"give up under way", 7, func(w *worker, mu *dislock.Mutex, k int) error {
		ctx, cancel := context.WithTimeout(context.Background(), w.upTo(500*time.Microsecond))
		defer cancel()
		lease, err := mu.LockContext(ctx)
		return w.stay(lease, err, k, w.upTo(maxStay))
	}},
	{"give up soon", 18, func(w *worker, mu *dislock.Mutex, k int) error {
		ctx, cancel := context.WithTimeout(context.Background(), w.upTo(20*time.Millisecond))
		defer cancel()
		lease, err := mu.LockContext(ctx)
		return w.stay(lease, err, k, w.upTo(maxStay))
	}},
	{"try", 10, func(w *worker, mu *dislock.Mutex, k int) error {
		lease, err := mu.TryLockContext(context.Background())
		return w.stay(lease, err, k, w.upTo(maxStay))
	}},
	{"do", 12, func(w *worker, mu *dislock.Mutex, k int) error {
		ctx, cancel := context.WithCancel(context.Background())
		defer cancel()
		return mu.Do(ctx, func(ctx context.Context) error {
			return w.visit(dislock.FromContext(ctx), k, w.upTo(maxStay))
		})
	}},
	{"unlock twice", 8, func(w *worker, mu *dislock.Mutex, k int) error {
		lease, err := mu.LockContext(context.Background())
		err = w.stay(lease, err, k, w.upTo(maxStay))
		if err != nil {
			return err
		}
		if again := lease.Unlock(context.Background()); !errors.Is(again, dislock.ErrNotHeld) {
			return fmt.Errorf("the second Unlock: %v, want ErrNotHeld", again)
		}
		return nil
	}},
	{"stay for a renewal", 2, func(w *worker, mu *dislock.Mutex, k int) error {
		lease, err := mu.LockContext(context.Background())
		return w.stay(lease, err, k, renewEvery+w.upTo(renewEvery))
	}},
	{"be robbed", 1, (*worker).beRobbed},
}

// maxStay is the longest that most stay inside.
const maxStay = 4 * time.Millisecond

// stay follows an attempt to lock: it stays inside for d and unlocks.
func (w *worker) stay(lease *dislock.Lease, err error, k int, d time.Duration) error {
	if err != nil {
		return err
	}
	err = w.visit(lease, k, d)
	return errors.Join(err, lease.Unlock(context.Background()))
}

// visit stays inside for d. It is no error to be late for that.
func (w *worker) visit(lease *dislock.Lease, k int, d time.Duration) error {
	if err := w.rooms[k].enter(lease); err != nil {
		return err
	}
	w.entered.Add(1)
	time.Sleep(d)
	w.rooms[k].leave(lease)
	return nil
}

// rob deletes a key unless it has changed hands: a request that is repeated, because its
// connection was cut, must not hit a successor, who is inside by then.
var rob = goredisclient.NewScript(`
if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('DEL', KEYS[1]) end
return 1`)

// beRobbed has an admin delete the key of one who holds it, and waits until that
// one has been told.
func (w *worker) beRobbed(mu *dislock.Mutex, k int) error {
	lease, err := mu.LockContext(context.Background())
	if err != nil {
		return err
	}
	defer lease.Unlock(context.Background())
	if err := w.visit(lease, k, 0); err != nil {
		return err
	}
	for rob.Run(context.Background(), w.client, []string{lockKey(k)}, lease.Token()).Err() != nil { // cut off
		time.Sleep(time.Millisecond)
	}
	w.robbed.Add(1)
	select {
	case <-lease.Done():
	case <-time.After(2 * ttl):
		return errors.New("the key is gone, and its holder not told")
	}
	if err := lease.Unlock(context.Background()); !errors.Is(err, dislock.ErrLost) {
		return fmt.Errorf("Unlock after the key was deleted: %v, want ErrLost", err)
	}
	return nil
}

// newMutex returns a Mutex of which the crew counts what happens to it.
func (c *crew) newMutex(b backend.Backend, k int) *dislock.Mutex {
	return dislock.New(b, keyName(k), dislock.WithTTL(ttl), dislock.WithRenewEvery(renewEvery),
		dislock.WithLogger(slog.New(slog.DiscardHandler)), dislock.WithHooks(dislock.Hooks{
			Acquired: func(info dislock.AcquiredInfo) {
				if info.Attempts == 0 {
					c.passed.Add(1)
				}
			},
			Renewed: func(dislock.RenewedInfo) { c.renewed.Add(1) },
			Lost:    func(dislock.LostInfo) { c.lost.Add(1) },
		}))
}

func keyName(k int) string { return fmt.Sprintf("soak-%d", k) }

func lockKey(k int) string { return "dislock:{" + keyName(k) + "}" }

func (w *worker) upTo(d time.Duration) time.Duration {
	return time.Duration(w.random.Int64N(int64(d)))
}
