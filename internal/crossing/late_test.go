package crossing

import (
	"errors"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/dislock/dislock/backend"
)

// TestLateGrants withholds for a while what waiters are told.
func TestLateGrants(t *testing.T) {
	eachDriver(t, func(s *scene, open func(testing.TB, *network) line) {
		ctx := bounded(s)
		var wg sync.WaitGroup
		end := time.Now().Add(3 * time.Second)
		served := make([]int, 4)
		deafened := newNetwork(s.server.Addr())
		for i := range served {
			n := newNetwork(s.server.Addr())
			if i < 2 {
				n = deafened
			}
			mu := s.mutex(open(s, n))
			wg.Go(func() {
				for time.Now().Before(end) {
					if err := s.hold(ctx, mu, time.Millisecond); err != nil {
						s.Error(err)
					}
					served[i]++
				}
			})
		}
		for time.Now().Before(end) {
			time.Sleep(200 * time.Millisecond)
			heal := deafened.hush()
			time.Sleep(rand.N(500 * time.Millisecond))
			heal()
		}
		wg.Wait()
		s.Logf("served %v times", served)
		if slices.Min(served) < 3 {
			s.Errorf("served %v times", served)
		}
		s.empty()
	})
}

// TestLateGrantBeganThen holds that a grant is dated back to when it was made,
// however late the word of it comes.
func TestLateGrantBeganThen(t *testing.T) {
	eachDriver(t, func(s *scene, open func(testing.TB, *network) line) {
		ctx := bounded(s)
		n := newNetwork(s.server.Addr())
		b := open(s, n)
		holder, token, told := backend.NewToken("holder"), backend.NewToken("waiter"), make(chan backend.Grant, 1)
		for range 3 {
			if _, err := b.SetNX(ctx, "k", holder, ttl); err != nil {
				s.Fatal(err)
			}
			s.eventually("it stands in line", 5*time.Second, func() bool {
				_, err := b.Join(ctx, "k", token, ttl, claim, told)
				var held *backend.HeldError
				return errors.As(err, &held) && held.Place == 1
			})
			select {
			case <-told:
			default:
			}
			time.Sleep(rand.N(100 * time.Millisecond))
			heal := n.hush()
			if err := b.DeleteIfOwner(ctx, "k", holder); err != nil {
				s.Fatal(err)
			}
			made := time.Now()
			time.Sleep(claim / 2)
			heal()
			var g backend.Grant
			select {
			case g = <-told:
			case <-time.After(soon):
			}
			if g.Fence == 0 {
				s.Fatal("not told of the grant")
			}
			if late := g.Began.Sub(made); late > 0 {
				s.Errorf("a grant that is made is said to begin %v later", late)
			}
			s.eventually("the claim ends", 2*claim, func() bool { return s.do("EXISTS", lockKey) == int64(0) })
			if early := time.Until(g.Began.Add(claim)); early > 0 {
				s.Errorf("the lease ended %v before Began and the claim", early)
			}
		}
	})
}
