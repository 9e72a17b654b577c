package crossing

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/dislock/dislock"
)

// TestGivingUpInFlight holds that a call whose ctx ends while its request is
// under way leaves nothing behind. What is sent on one connection after the
// other, the server may read in the opposite order: a token that is deleted may
// take the key after that.
func TestGivingUpInFlight(t *testing.T) {
	alone(t, func(s *scene, open func(testing.TB, *network) line) {
		b := open(s, newNetwork(s.server.Addr()))
		var cut atomic.Int32
		var wg sync.WaitGroup
		end := time.Now().Add(2 * time.Second)
		for i := range 8 {
			wg.Go(func() {
				for n := 0; time.Now().Before(end); n++ {
					mu := dislock.New(b, fmt.Sprintf("%d:%d", i, n), dislock.WithTTL(time.Minute))
					ctx, cancel := context.WithCancel(bounded(s))
					stop := time.AfterFunc(rand.N(400*time.Microsecond), cancel)
					lease, err := mu.LockContext(ctx)
					stop.Stop()
					cancel()
					if err != nil {
						cut.Add(1)
						continue
					}
					if err := lease.Unlock(ctx); err != nil {
						s.Error(err)
					}
				}
			})
		}
		wg.Wait()
		s.settled("evalsha")
		left := 0
		for name := range s.server.Keys(s) {
			if !strings.HasSuffix(name, ":fence") {
				left++
			}
		}
		s.Logf("%d calls ended by ctx", cut.Load())
		if left > 0 || cut.Load() < 100 {
			s.Errorf("of %d calls that ctx ended %d have left a lease behind", cut.Load(), left)
		}
	})
}

// TestGivingUpInLine is about calls that were about to get a place in line: one that
// nobody takes costs the others a claim.
func TestGivingUpInLine(t *testing.T) {
	alone(t, func(s *scene, open func(testing.TB, *network) line) {
		b := open(s, newNetwork(s.server.Addr()))
		holder := s.mutex(b)
		holder.Lock()
		q := s.queue(bounded(s), b) // so that the backend listens
		var cut atomic.Int32
		var wg sync.WaitGroup
		end := time.Now().Add(2 * time.Second)
		for range 8 {
			mu := s.mutex(b)
			wg.Go(func() {
				for time.Now().Before(end) {
					ctx, cancel := context.WithTimeout(bounded(s), rand.N(400*time.Microsecond))
					if _, err := mu.LockContext(ctx); err == nil {
						s.Error("two hold the lock")
					}
					cancel()
					cut.Add(1)
				}
			})
		}
		wg.Wait()
		s.settled("zrem")
		s.Logf("%d calls ended by ctx", cut.Load())
		if n := s.inLine(); n != 1 {
			s.Errorf("of %d calls that ctx ended %d have left a place in line behind", cut.Load(), n-1)
		}
		start := time.Now()
		holder.Unlock()
		q.within(soon, start, true)
		s.empty()
	})
}

// settled waits until command has not run for longer than those wait who take a
// token back in the background. There are thousands of them, on a busy machine.
func (s *scene) settled(command string) {
	s.Helper()
	last, since := int64(-1), time.Now()
	for end := time.Now().Add(30 * time.Second); time.Now().Before(end); time.Sleep(100 * time.Millisecond) {
		n := s.server.CommandStats(s)[command]
		if n != last {
			last, since = n, time.Now()
		}
		if time.Since(since) > 2*time.Second {
			return
		}
	}
	s.Fatalf("%s goes on and on", command)
}
