package crossing

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/dislock/dislock/backend"
	"github.com/dislock/dislock/internal/recipe/recipetest"
	"github.com/dislock/dislock/internal/redistest"
)

// polled is within what a waiter that polls has its turn.
const polled = 250*time.Millisecond + soon

// without returns the documented rules less some.
func without(rules ...string) []string {
	return slices.DeleteFunc(slices.Clone(recipetest.ACL), func(r string) bool { return slices.Contains(rules, r) })
}

// asUser returns a network on which a user logs in who has these rules.
func (s *scene) asUser(rules []string) *network {
	recipetest.AddUser(s, s.server, rules...)
	n := newNetwork(s.server.Addr())
	n.user, n.password = "lock", "secret"
	return n
}

// TestUserWhoMayNotListen holds that waiters are served by polling if the server does
// not let them listen, and that it is said once.
func TestUserWhoMayNotListen(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		rules []string
		deaf  bool
	}{
		"no channel":                        {without("&dislock:*"), true},
		"no SUBSCRIBE":                      {without("+subscribe"), true},
		"no PUBLISH":                        {without("+publish"), true},
		"no NUMSUB":                         {without("+pubsub|numsub"), false},
		"no PUBLISH or SUBSCRIBE or NUMSUB": {without("+publish", "+subscribe", "+pubsub|numsub"), true},
	} {
		t.Run(name, func(t *testing.T) {
			eachDriver(t, func(s *scene, open func(testing.TB, *network) line) {
				ctx := bounded(s)
				n := s.asUser(tt.rules)
				holder, b1, b2 := s.mutex(open(s, n)), open(s, n), open(s, n)
				holder.Lock()
				q := &queue{scene: s}
				for i, b := range []line{b1, b2, b1, b2} {
					q.join(ctx, i, b)
				}
				time.Sleep(300 * time.Millisecond)
				if n := s.inLine(); tt.deaf != (n == 0) {
					s.Errorf("%d stand in line", n)
				}
				start := time.Now()
				holder.Unlock()
				q.within(4*polled, start, false)
				if want := map[bool]int{true: 2}[tt.deaf]; n.log.polling() != want {
					s.Errorf("it was said %d times that waiters poll, want %d: one for each backend\n%s", n.log.polling(), want, n.log.text)
				}
				s.empty()
			})
		})
	}
}

// TestOneWhoPollsAmongOthers holds that one who can not be told has its turn though
// the key is never free, because the others hand it to each other.
func TestOneWhoPollsAmongOthers(t *testing.T) {
	t.Parallel()
	for name, prepare := range map[string]func(s *scene, open func(testing.TB, *network) line) line{
		"may not subscribe": func(s *scene, open func(testing.TB, *network) line) line {
			return open(s, s.asUser(without("+subscribe")))
		},
		"may not publish": func(s *scene, open func(testing.TB, *network) line) line {
			return open(s, s.asUser(without("+publish")))
		},
		"closed": func(s *scene, open func(testing.TB, *network) line) line {
			b := open(s, newNetwork(s.server.Addr()))
			b.Close()
			return b
		},
		"subscribes to a replica": func(s *scene, open func(testing.TB, *network) line) line {
			n := newNetwork(s.server.Addr())
			n.divert = s.replica().Addr()
			return open(s, n)
		},
		// As after a failover that leaves a connection to the old master alone.
		"subscribes to a server that it was moved from": func(s *scene, open func(testing.TB, *network) line) line {
			other := redistest.Start(s)
			n := newNetwork(other.Addr())
			b := open(s, n)
			holder := s.mutex(b)
			holder.Lock()
			done := make(chan error, 1)
			go func() { done <- s.hold(bounded(s), s.mutex(b), 0) }()
			s.eventually("it listens", 5*time.Second, func() bool {
				return other.Do(s, "ZCARD", lineKey) == int64(1)
			})
			holder.Unlock()
			if err := <-done; err != nil {
				s.Fatal(err)
			}
			n.move(s.server.Addr())
			return b
		},
	} {
		t.Run(name, func(t *testing.T) {
			eachDriver(t, func(s *scene, open func(testing.TB, *network) line) {
				ctx, cancel := context.WithTimeout(bounded(s), 12*time.Second)
				defer cancel()
				odd := s.mutex(prepare(s, open))
				var enough atomic.Bool
				var others sync.WaitGroup
				defer others.Wait()
				defer enough.Store(true)
				for range 3 {
					mu := s.mutex(open(s, newNetwork(s.server.Addr())))
					others.Go(func() {
						for !enough.Load() {
							if err := s.hold(bounded(s), mu, 5*time.Millisecond); err != nil {
								s.Error(err)
							}
						}
					})
				}
				s.eventually("the others are at it", 5*time.Second, func() bool { return s.holds.Load() > 50 })
				for i := range 5 {
					before, sent := s.holds.Load(), time.Now()
					if err := s.hold(ctx, odd, time.Millisecond); err != nil {
						s.Fatalf("turn %d after %d of the others': %v", i, s.holds.Load()-before, err)
					}
					took, turns := time.Since(sent), s.holds.Load()-before
					s.Logf("turn %d after %v and %d of the others'", i, took, turns)
					most := 2 * claim
					if i == 0 {
						most += 5 * time.Second // until a connection is asked whether it is still good for something
					}
					if took > most {
						s.Errorf("turn %d came after %v, want no more than %v", i, took, most)
					}
				}
			})
		})
	}
}

// replica returns a replica of the server that is in step.
func (s *scene) replica() *redistest.Server {
	r := redistest.Start(s, "--replicaof", "127.0.0.1 "+strings.TrimPrefix(s.server.Addr(), "127.0.0.1:"), "--repl-diskless-sync-delay", "0")
	s.server.Do(s, "CONFIG", "SET", "repl-diskless-sync-delay", 0)
	s.server.Do(s, "SET", "probe", 1, "PX", 60_000)
	s.eventually("the replica is in step", 10*time.Second, func() bool {
		return strings.Contains(s.text("INFO", "replication"), "state=online") && r.Do(s, "EXISTS", "probe") == int64(1)
	})
	return r
}

func (s *scene) text(cmd string, args ...any) string {
	b, _ := s.do(cmd, args...).([]byte)
	return string(b)
}

// TestReplicaTellsOfNoGrants holds that a backend whose subscription has come to a
// replica, which hears what is published as well, does not take its word.
func TestReplicaTellsOfNoGrants(t *testing.T) {
	eachDriver(t, func(s *scene, open func(testing.TB, *network) line) {
		ctx := bounded(s)
		n := newNetwork(s.server.Addr())
		n.divert = s.replica().Addr()
		b := open(s, n)
		holder, token, told := backend.NewToken("holder"), backend.NewToken("waiter"), make(chan backend.Grant, 1)
		if _, err := b.SetNX(ctx, "k", holder, ttl); err != nil {
			s.Fatal(err)
		}
		s.eventually("it is said that waiters poll", 5*time.Second, func() bool {
			_, err := b.Join(ctx, "k", token, ttl, claim, told)
			var held *backend.HeldError
			if !errors.As(err, &held) || held.Place != 0 {
				s.Fatalf("Join: %#v, want a refusal without a place", err)
			}
			return n.log.polling() > 0
		})
		if err := b.DeleteIfOwner(ctx, "k", holder); err != nil {
			s.Fatal(err)
		}
		time.Sleep(100 * time.Millisecond)
		select {
		case g := <-told:
			if g.Fence != 0 {
				s.Errorf("told of %v by a replica", g)
			}
		default:
		}
		if n.log.polling() != 1 {
			s.Errorf("it was said %d times that waiters poll, want once", n.log.polling())
		}
		if err := s.hold(ctx, s.mutex(b), 0); err != nil {
			s.Error(err)
		}
	})
}
