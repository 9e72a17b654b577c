package crossing

import (
	"testing"
	"time"

	"github.com/dislock/dislock/internal/redistest"
)

// TestCloseWhileTheyWait holds that Close ends the connection at once, whatever the
// network does, and that those who wait are served.
func TestCloseWhileTheyWait(t *testing.T) {
	eachDriver(t, func(s *scene, open func(testing.TB, *network) line) {
		ctx := bounded(s)
		b1, b2 := open(s, newNetwork(s.server.Addr())), open(s, newNetwork(s.server.Addr()))
		holder := s.mutex(open(s, newNetwork(s.server.Addr())))
		holder.Lock()
		q := s.queue(ctx, b1, b2, b1)
		if n := len(s.channels()); n != 2 {
			s.Fatalf("%d channels, want 2", n)
		}
		for range 2 {
			start := time.Now()
			if err := b1.Close(); err != nil || time.Since(start) > soon {
				s.Errorf("Close: %v after %v", err, time.Since(start))
			}
		}
		s.eventually("its channel is closed", soon, func() bool { return len(s.channels()) == 1 })
		start := time.Now()
		holder.Unlock()
		q.within(3*polled, start, false)

		holder.Lock()
		q = &queue{scene: s}
		q.join(ctx, 0, b1)
		time.Sleep(300 * time.Millisecond)
		if n := len(s.channels()); n != 1 {
			s.Errorf("%d channels, want 1", n)
		}
		start = time.Now()
		holder.Unlock()
		q.within(polled, start, true)
		s.empty()
	})
}

// TestCloseInSilence is about a network that swallows everything, before and after
// the connection is known to be dead.
func TestCloseInSilence(t *testing.T) {
	t.Parallel()
	for _, cut := range []bool{false, true} {
		t.Run(map[bool]string{false: "silent", true: "cut"}[cut], func(t *testing.T) {
			eachDriver(t, func(s *scene, open func(testing.TB, *network) line) {
				proxy := redistest.NewProxy(s, s.server.Addr())
				b := open(s, newNetwork(proxy.Addr()))
				holder := s.mutex(open(s, newNetwork(s.server.Addr())))
				holder.Lock()
				q := s.queue(bounded(s), b)
				proxy.Blackhole()
				defer proxy.Heal()
				if cut {
					proxy.CutAll()
					time.Sleep(50 * time.Millisecond)
				}
				start := time.Now()
				b.Close()
				if took := time.Since(start); took > soon {
					s.Errorf("Close took %v", took)
				}
				proxy.Heal()
				start = time.Now()
				holder.Unlock()
				q.within(claim+2*time.Second+polled, start, true) // a request under way may time out
			})
		})
	}
}
