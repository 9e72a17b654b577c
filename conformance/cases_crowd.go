package conformance

import (
	"context"
	"errors"
	"math/rand/v2"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/dislock/dislock"
	"github.com/dislock/dislock/backend"
	"github.com/dislock/dislock/backend/faulty"
)

// Many who want the lock, and some who go without it.
var crowdCases = []kase{
	{
		name: "mutex excludes, passed on within a process or not",
		rule: "One goroutine at a time holds the lock, also if the lock passes between them without the store.",
		run: func(c *C) {
			const clients, goroutines, visits = 3, 4, 4
			for _, passing := range []time.Duration{0, 2 * poll, long} {
				var w witness
				var all sync.WaitGroup
				for range clients {
					mu, _ := c.mutex(dislock.WithBackoff(poll, 8*poll), dislock.WithPassing(passing))
					for range goroutines {
						all.Go(func() {
							for range visits {
								lease := c.lock(mu)
								w.visit(poll / 2)
								c.unlock(lease)
							}
						})
					}
				}
				all.Wait()
				w.testify(c, clients*goroutines*visits)
			}
		},
	},
	{
		name: "mutex excludes while others give up",
		rule: "Who gives up waiting takes nothing from anybody: no lease, and no turn.",
		run: func(c *C) {
			const workers, visits, quitters = 3, 30, 4
			var w witness
			var lucky atomic.Int64 // visits of quitters
			var working, quitting sync.WaitGroup
			var enough atomic.Bool
			for range quitters {
				mu, _ := c.mutex(dislock.WithTTL(long), dislock.WithBackoff(poll, 8*poll))
				quitting.Go(func() {
					for !enough.Load() {
						ctx, cancel := context.WithTimeout(context.Background(), rand.N(5*poll))
						lease, err := mu.LockContext(ctx)
						cancel()
						if err == nil {
							w.visit(poll / 2)
							lucky.Add(1)
							c.unlock(lease)
						}
						time.Sleep(rand.N(5 * poll)) // or those who poll would get no turn
					}
				})
			}
			for range workers {
				mu, _ := c.mutex(dislock.WithTTL(long), dislock.WithBackoff(poll, 8*poll))
				working.Go(func() {
					for range visits {
						lease := c.lock(mu)
						w.visit(poll / 2)
						c.unlock(lease)
					}
				})
			}
			working.Wait()
			enough.Store(true)
			quitting.Wait()
			w.testify(c, workers*visits+lucky.Load())
			c.takeWhenFree(c.connect(), c.key, backend.NewToken("next"), long, 0)
		},
	},
	{
		name: "mutex gives back a turn that comes as its ctx ends",
		rule: "A waiter whose ctx ends just as it is granted the lock does not keep the key.",
		run: func(c *C) {
			waits := make(chan struct{}, 1)
			holder, f := c.mutex(dislock.WithTTL(long))
			next, _ := c.mutex(dislock.WithTTL(long), dislock.WithBackoff(poll, 8*poll))
			waiter, _ := c.mutex(dislock.WithTTL(long), dislock.WithHooks(dislock.Hooks{
				Waiting: func(dislock.WaitingInfo) { waits <- struct{}{} },
			}))
			granted := 0
			const times = 200
			for i := range times {
				lease := c.lock(holder)
				ctx, cancel := context.WithCancel(c.ctx())
				answer := make(chan *dislock.Lease, 1)
				go func() {
					lease, err := waiter.LockContext(ctx)
					if err != nil && !errors.Is(err, context.Canceled) {
						c.Errorf("LockContext whose ctx ended: %v, want context.Canceled", err)
					}
					answer <- lease
				}()
				within(c, "the waiter waits", 0, waits)
				f.Next(faulty.DeleteIfOwner, func(ctx context.Context, release func(context.Context) error) error {
					if i%2 == 0 { // at any moment of the release
						go func() { c.aMoment(); cancel() }()
						return release(ctx)
					}
					err := release(ctx) // or when the word of it is on its way
					c.aMoment()
					cancel()
					return err
				})
				c.unlock(lease)
				if lease := within(c, "the waiter's answer", 0, answer); lease != nil {
					granted++
					c.unlock(lease)
				}
				c.unlock(c.lock(next))
			}
			c.Logf("%d of %d waiters got the lock", granted, times)
		},
	},
	{
		name: "mutex is served though it hears nothing",
		rule: "L7: if every word to the waiters is lost, all of them are still served.",
		run: func(c *C) {
			// With a claim in which everybody asks, and with one that some may miss.
			for _, ttl := range []time.Duration{long, ttl} {
				mu, _ := c.mutex(dislock.WithTTL(ttl))
				lease := c.lock(mu)
				const n = 5
				served := make(chan error, n)
				for range n {
					mu, f := c.mutex(dislock.WithTTL(ttl))
					f.LoseGrants(true)
					go func() {
						lease, err := mu.LockContext(c.ctx())
						if err == nil {
							time.Sleep(poll)
							err = lease.Unlock(c.ctx())
						}
						served <- err
					}()
				}
				time.Sleep(short) // they stand in line by now, most likely
				c.unlock(lease)
				for range n {
					if err := within(c, "everybody has been served", 0, served); err != nil {
						c.Errorf("Lock or Unlock by one that hears nothing: %v, want nil", err)
					}
				}
			}
		},
	},
}

// aMoment passes, of a length that is another one each time: up to a few round
// trips by a real clock, and in a bubble, where time stands still while somebody
// runs, up to a few turns of the scheduler.
func (c *C) aMoment() {
	if !c.harness.Synctest {
		time.Sleep(rand.N(time.Millisecond))
		return
	}
	for range rand.N(4) {
		runtime.Gosched()
	}
}
