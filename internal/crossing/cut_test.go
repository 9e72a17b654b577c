package crossing

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/dislock/dislock/internal/redistest"
)

// TestSubscriptionIsCut holds that those in line keep their places when the
// connection breaks on which they are told.
func TestSubscriptionIsCut(t *testing.T) {
	t.Parallel()
	for _, how := range []string{"CLIENT KILL", "CutAll"} {
		t.Run(how, func(t *testing.T) {
			eachDriver(t, func(s *scene, open func(testing.TB, *network) line) {
				ctx := bounded(s)
				proxy := redistest.NewProxy(s, s.server.Addr())
				b1, b2 := open(s, newNetwork(proxy.Addr())), open(s, newNetwork(proxy.Addr()))
				holder := s.mutex(open(s, newNetwork(s.server.Addr())))
				holder.Lock()
				q := s.queue(ctx, b1, b2, b1, b2)
				time.Sleep(150 * time.Millisecond) // the connections have been good for a while
				before, listening := fmt.Sprintf("%s", s.do("ZRANGE", lineKey, 0, -1)), s.channels()
				if len(listening) != 2 {
					s.Fatalf("%q, want two channels", listening)
				}
				if how == "CutAll" {
					proxy.CutAll()
				} else if n := s.do("CLIENT", "KILL", "TYPE", "pubsub"); n != int64(2) {
					s.Fatalf("%v connections killed, want 2", n)
				}
				time.Sleep(20 * time.Millisecond)
				since := time.Now()
				s.eventually("it listens again, for good", 2*time.Second, func() bool {
					for _, name := range listening {
						if s.do("PUBSUB", "NUMSUB", name).([]any)[1] != int64(1) {
							since = time.Now()
						}
					}
					return time.Since(since) > 200*time.Millisecond
				})
				if after := fmt.Sprintf("%s", s.do("ZRANGE", lineKey, 0, -1)); after != before {
					s.Errorf("in line %s, before the cut %s", after, before)
				}
				start := time.Now()
				holder.Unlock()
				q.within(soon, start, true)
				s.empty()
			})
		})
	}
}

// TestCutAsTheyAreServed cuts subscriptions while the lock goes from hand to hand.
func TestCutAsTheyAreServed(t *testing.T) {
	alone(t, func(s *scene, open func(testing.TB, *network) line) {
		ctx := bounded(s)
		var wg sync.WaitGroup
		end := time.Now().Add(2 * time.Second)
		longest := make([]time.Duration, 4)
		for i := range longest {
			mu := s.mutex(open(s, newNetwork(s.server.Addr())))
			wg.Go(func() {
				for time.Now().Before(end) {
					sent := time.Now()
					if err := s.hold(ctx, mu, time.Millisecond); err != nil {
						s.Error(err)
					}
					longest[i] = max(longest[i], time.Since(sent))
				}
			})
		}
		for time.Now().Before(end) {
			time.Sleep(rand.N(60 * time.Millisecond))
			s.do("CLIENT", "KILL", "TYPE", "pubsub")
		}
		wg.Wait()
		s.Logf("%d holds, the longest waits %v", s.holds.Load(), longest)
		// A message that is lost costs a quarter of a second for each place.
		if worst := slices.Max(longest); worst > claim+soon || s.holds.Load() < 50 {
			s.Errorf("waited for %v, %d holds", worst, s.holds.Load())
		}
		s.empty()
	})
}
