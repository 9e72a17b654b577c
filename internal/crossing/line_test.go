package crossing

import (
	"context"
	"errors"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/dislock/dislock"
	"github.com/dislock/dislock/backend"
	"github.com/dislock/dislock/internal/redistest"
)

// TestCancelledAsItsTurnComes holds that a waiter whose ctx ends at about the moment
// at which it is given the key costs the others nothing.
func TestCancelledAsItsTurnComes(t *testing.T) {
	alone(t, func(s *scene, open func(testing.TB, *network) line) {
		ctx := bounded(s)
		b1, b2 := open(s, newNetwork(s.server.Addr())), open(s, newNetwork(s.server.Addr()))
		holder, waiter := s.mutex(b1), s.mutex(b2)
		const times, spread = 1000, 1500 * time.Microsecond
		got, worst := 0, time.Duration(0)
		for i := range times {
			sent := time.Now()
			lease, err := holder.LockContext(ctx)
			if err != nil {
				s.Fatal(err)
			}
			took := time.Since(sent)
			worst = max(worst, took)
			if took > soon {
				s.Errorf("number %d: the key was free after %v", i, took)
			}
			turn, cancel := context.WithCancel(ctx)
			result := make(chan error, 1)
			go func() { result <- s.hold(turn, waiter, 0) }()
			if i == 0 {
				s.eventually("it stands in line", 5*time.Second, func() bool { return s.inLine() == 1 })
			}
			s.eventually("it stands in line", soon, func() bool { return s.inLine() == 1 })
			cancelled := time.AfterFunc(rand.N(2*spread), cancel)
			time.Sleep(rand.N(spread))
			if err := errors.Join(lease.Err(), lease.Unlock(ctx)); err != nil {
				s.Errorf("number %d: %v", i, err)
			}
			switch err := <-result; {
			case err == nil:
				got++
			case !errors.Is(err, context.Canceled) || errors.Is(err, dislock.ErrLost):
				s.Errorf("number %d: %v", i, err)
			}
			cancelled.Stop()
			cancel()
		}
		s.Logf("%d of %d were faster than their ctx; the holder waited %v at most", got, times, worst)
		if got < times/50 || got > times-times/50 {
			s.Errorf("the ends of ctx were not spread around the turn")
		}
		s.empty()
	})
}

// TestNobodyListensUnlessSomebodyWaits holds that a lock for which nobody waits
// costs no connection.
func TestNobodyListensUnlessSomebodyWaits(t *testing.T) {
	eachDriver(t, func(s *scene, open func(testing.TB, *network) line) {
		b := open(s, newNetwork(s.server.Addr()))
		one, two := s.mutex(b), s.mutex(b)
		for range 20 {
			one.Lock()
			if two.TryLock() {
				s.Error("two hold the lock")
			}
			one.Unlock()
		}
		if got := s.channels(); len(got) != 0 {
			s.Errorf("listens on %q", got)
		}
		one.Lock()
		q := s.queue(bounded(s), b)
		if got := s.channels(); len(got) != 1 {
			s.Errorf("listens on %q, want one channel", got)
		}
		one.Unlock()
		q.within(soon, time.Now(), true)
		s.empty()
	})
}

// TestContendedRoundTrips holds that who waits sends two requests, as who does not:
// one to join and one to release.
func TestContendedRoundTrips(t *testing.T) {
	alone(t, func(s *scene, open func(testing.TB, *network) line) {
		proxy := redistest.NewProxy(s, s.server.Addr())
		const times = 50
		ctx := bounded(s)
		var warm, counting, wg sync.WaitGroup
		start := make(chan struct{})
		for range 2 {
			// Whoever is slow is still told before it asks again.
			mu := s.mutex(open(s, newNetwork(proxy.Addr())), dislock.WithBackoff(5*time.Millisecond, 20*time.Second))
			warm.Add(1)
			counting.Add(1)
			wg.Go(func() {
				for range times {
					if err := s.hold(ctx, mu, time.Millisecond); err != nil {
						s.Error(err)
					}
				}
				warm.Done()
				<-start
				for range times {
					if err := s.hold(ctx, mu, time.Millisecond); err != nil {
						s.Error(err)
					}
				}
			})
		}
		warm.Wait()
		time.Sleep(20 * time.Millisecond)
		proxy.ResetLog()
		close(start)
		wg.Wait()
		sent := slices.DeleteFunc(proxy.Log(), func(name string) bool { return name == "PING" })
		if len(sent) != 2*2*times {
			s.Errorf("%d requests for %d turns, want two each: %v", len(sent), 2*times, sent)
		}
		s.empty()
	})
}

// TestTokensAreBytes holds that a waiter is told of its turn whatever bytes its label
// consists of.
func TestTokensAreBytes(t *testing.T) {
	eachDriver(t, func(s *scene, open func(testing.TB, *network) line) {
		ctx := bounded(s)
		b := open(s, newNetwork(s.server.Addr()))
		for _, label := range []string{"a b:c", ":1:", "", "new\nline", "\xff", "a\x00b"} {
			holder, token, told := backend.NewToken("holder"), backend.NewToken(label), make(chan backend.Grant, 1)
			if _, err := b.SetNX(ctx, "k", holder, ttl); err != nil {
				s.Fatal(err)
			}
			s.eventually("it stands in line", 5*time.Second, func() bool {
				_, err := b.Join(ctx, "k", token, ttl, claim, told)
				var held *backend.HeldError
				return errors.As(err, &held) && held.Place == 1
			})
			select {
			case <-told: // that it listens
			default:
			}
			if err := b.DeleteIfOwner(ctx, "k", holder); err != nil {
				s.Fatal(err)
			}
			select {
			case g := <-told:
				if g.Fence == 0 {
					s.Errorf("the label %q: told to ask, want a grant", label)
				}
			case <-time.After(claim / 2):
				s.Errorf("the label %q: not told of its turn", label)
			}
			if err := b.DeleteIfOwner(ctx, "k", token); err != nil {
				s.Errorf("the label %q: DeleteIfOwner: %v", label, err)
			}
		}
		s.empty()
	})
}

// TestForeignHolder holds that those in line have their turn soon, too, when the
// lock is released by a client that knows nothing of a line.
func TestForeignHolder(t *testing.T) {
	eachDriver(t, func(s *scene, open func(testing.TB, *network) line) {
		if got := s.do("SET", lockKey, "foreign", "NX", "PX", 60_000); got != "OK" {
			s.Fatal(got)
		}
		b := open(s, newNetwork(s.server.Addr()))
		q := s.queue(bounded(s), b, open(s, newNetwork(s.server.Addr())), b)
		time.Sleep(100 * time.Millisecond)
		start := time.Now()
		if n := s.do("EVAL", bareRelease, 1, lockKey, "foreign"); n != int64(1) {
			s.Fatal(n)
		}
		q.within(250*time.Millisecond+soon, start, true)
		s.empty()
	})
}
