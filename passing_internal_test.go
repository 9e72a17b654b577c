package dislock

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/dislock/dislock/backend/memory"
)

// passWhileDone is a ctx that ends while its goroutine waits, and at that very moment
// the lock is passed to it.
type passWhileDone struct {
	context.Context
	mutex *Mutex
	done  chan struct{} // nil: the end is not seen in time, only by Err
	over  *atomic.Bool
}

func (c passWhileDone) Done() <-chan struct{} {
	c.over.Store(true)
	c.mutex.Unlock()
	return c.done
}

func (c passWhileDone) Err() error {
	if c.over.Load() {
		return context.Canceled
	}
	return nil
}

// Nobody may hold the lock, and neither the turn nor the lease may be lost.
func TestPassingCrossesTheEndOfCtx(t *testing.T) {
	closed := make(chan struct{})
	close(closed)
	for name, done := range map[string]chan struct{}{"both ready": closed, "turn first": nil} {
		t.Run(name, func(t *testing.T) {
			store := memory.New()
			for range 200 {
				m := New(store, "k", WithPassing(time.Hour))
				m.Lock()
				lease, err := m.LockContext(passWhileDone{context.Background(), m, done, new(atomic.Bool)})
				if !errors.Is(err, context.Canceled) {
					t.Fatalf("LockContext with a ctx that has ended: lease %v, error %v, want context.Canceled", lease, err)
				}
				soon, cancel := context.WithTimeout(context.Background(), 10*time.Second)
				for _, next := range []*Mutex{m, New(store, "k")} {
					lease, err := next.LockContext(soon)
					if err != nil {
						t.Fatalf("LockContext by the next: %v, want nil", err)
					}
					_ = lease.Unlock(soon)
				}
				cancel()
			}
		})
	}
}

// A lease that may have ended while the machine was suspended is not passed on, also
// if nobody has noticed yet.
func TestNotPassedAfterASuspend(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var step atomic.Int64
		m := New(memory.New(), "k", WithPassing(time.Hour))
		stepClock(m, &step)
		first, err := m.LockContext(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		next := make(chan *Lease)
		go func() {
			lease, _ := m.LockContext(context.Background())
			next <- lease
		}()
		synctest.Wait()
		step.Store(int64(time.Minute))
		m.Unlock()
		lease := <-next
		if lease.Token() == first.Token() {
			t.Error("a lease of 30s was passed on after a minute")
		}
		m.Unlock()
	})
}
