package crossing

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gomodule/redigo/redis"
	goredisclient "github.com/redis/go-redis/v9"

	"github.com/dislock/dislock"
	"github.com/dislock/dislock/backend"
	"github.com/dislock/dislock/backend/goredis"
	"github.com/dislock/dislock/backend/redigo"
	"github.com/dislock/dislock/conformance"
	"github.com/dislock/dislock/internal/recipe/recipetest"
	"github.com/dislock/dislock/internal/redistest"
)

// For how long a replica is waited for: as long as a busy machine takes, or not long,
// because it is not going to answer.
const (
	patient = 5 * time.Second
	hasty   = 200 * time.Millisecond
)

// replicating are the two adapters, with the option that waits for one replica.
var replicating = map[string]opener{
	"redigo": func(tb testing.TB, within time.Duration, addr, user, password string) line {
		pool := &redis.Pool{MaxIdle: 8, DialContext: func(ctx context.Context) (redis.Conn, error) {
			return redis.DialContext(ctx, "tcp", addr, redis.DialUsername(user), redis.DialPassword(password))
		}}
		b := redigo.New(pool, redigo.WithReplicas(1, within))
		tb.Cleanup(func() { b.Close(); pool.Close() })
		return b
	},
	"goredis": func(tb testing.TB, within time.Duration, addr, user, password string) line {
		client := goredisclient.NewClient(&goredisclient.Options{
			Addr: addr, Username: user, Password: password, ContextTimeoutEnabled: true,
		})
		b := goredis.New(client, goredis.WithReplicas(1, within))
		tb.Cleanup(func() { b.Close(); client.Close() })
		return b
	},
}

// TestConformanceWithReplicas holds that the contract is the same for who waits for a
// replica, with clients of either driver by turns.
func TestConformanceWithReplicas(t *testing.T) {
	t.Parallel()
	p := newPair(t, nil)
	p.master.CheckBounded(t)
	conformance.Run(t, conformance.Harness{
		Open: func(testing.TB) conformance.Store {
			var clients atomic.Int32
			return conformance.Store{
				Connect: func(tb testing.TB) backend.Backend {
					if clients.Add(1)%2 == 0 {
						return replicating["goredis"](tb, patient, p.master.Addr(), "", "")
					}
					return replicating["redigo"](tb, patient, p.master.Addr(), "", "")
				},
				Wipe: p.master.Flush,
			}
		},
		Dial: func(tb testing.TB, addr string) backend.Backend {
			return replicating["goredis"](tb, patient, addr, "", "")
		},
		Line: true,
	})
}

type opener func(tb testing.TB, within time.Duration, addr, user, password string) line

// A pair is a server and its only replica, in step.
type pair struct {
	*testing.T
	master, replica *redistest.Server
	open            opener
	waiting         atomic.Int32 // how often somebody was told to wait
}

func newPair(t *testing.T, open opener) *pair {
	t.Helper()
	p := &pair{T: t, open: open}
	p.master = redistest.Start(t, "--repl-diskless-sync-delay", "0")
	p.replica = redistest.Start(t, "--replicaof", "127.0.0.1 "+strconv.Itoa(p.master.Port()))
	if n := p.master.Do(t, "WAIT", 1, 10_000); n != int64(1) {
		t.Fatalf("%v replicas are in step, want 1", n)
	}
	return p
}

// eachPair runs f with either driver.
func eachPair(t *testing.T, f func(p *pair)) {
	t.Parallel()
	for name, open := range replicating {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f(newPair(t, open))
		})
	}
}

func (p *pair) mutex(within time.Duration, opts ...dislock.Option) *dislock.Mutex {
	return dislock.New(p.open(p, within, p.master.Addr(), "", ""), "k", append([]dislock.Option{dislock.WithTTL(ttl)}, opts...)...)
}

// holder returns the token that the replica knows as the holder's.
func (p *pair) holder() string {
	p.Helper()
	token, _ := p.replica.Do(p, "GET", lockKey).([]byte)
	return string(token)
}

func (p *pair) gone() {
	p.Helper()
	end := time.Now().Add(soon)
	for p.master.Do(p, "EXISTS", lockKey) != int64(0) {
		if time.Now().After(end) {
			p.Fatal("the key is still there")
		}
		time.Sleep(5 * time.Millisecond)
	}
}

// TestReplicaInStep holds that whoever has the lock has it on the replica, too, as the
// user that the documentation describes.
func TestReplicaInStep(t *testing.T) {
	eachPair(t, func(p *pair) {
		recipetest.AddUser(p, p.master, append(recipetest.ACL, "+wait")...)
		b := p.open(p, patient, p.master.Addr(), "lock", "secret")
		ctx := bounded(p)
		for range 3 {
			token := backend.NewToken("holder")
			fence, err := b.SetNX(ctx, "k", token, ttl)
			if err != nil || p.holder() != token {
				p.Fatalf("SetNX: %v, and the replica knows %q; want %q", err, p.holder(), token)
			}
			if again, err := b.SetNX(ctx, "k", token, ttl); err != nil || again != fence {
				p.Errorf("SetNX by the same token: %d, %v; want %d", again, err, fence)
			}
			if err := b.ExpireIfOwner(ctx, "k", token, 10*ttl); err != nil {
				p.Error(err)
			}
			if left := p.replica.Do(p, "PTTL", lockKey).(int64); left <= ttl.Milliseconds() {
				p.Errorf("the replica keeps a renewed lease for another %dms", left)
			}
			p.master.Do(p, "SCRIPT", "FLUSH")
			if err := b.DeleteIfOwner(ctx, "k", token); err != nil {
				p.Error(err)
			}
		}
	})
}

// TestReplicaBehind holds that nobody has the lock of which no replica hears, or keeps
// it from others; and that who waits has it when the replica is back.
func TestReplicaBehind(t *testing.T) {
	eachPair(t, func(p *pair) {
		mu, sure := p.mutex(hasty), p.mutex(patient)
		p.replica.Pause()
		defer p.replica.Resume()

		const patience = 5 * hasty
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		start := time.Now()
		_, err := mu.LockContext(ctx)
		if took := time.Since(start); took < patience || took > patience+soon {
			p.Errorf("LockContext took %v, want %v", took, patience)
		}
		if !errors.Is(err, dislock.ErrUnavailable) || !errors.Is(err, context.DeadlineExceeded) ||
			!strings.Contains(err.Error(), "redis: acquire: 0 of 1 replicas have acknowledged it within ") {
			p.Errorf("LockContext: %v, want ErrUnavailable and how many replicas know", err)
		}
		p.gone()
		if _, err := mu.TryLockContext(context.Background()); !errors.Is(err, dislock.ErrUnavailable) {
			p.Errorf("TryLockContext: %v, want ErrUnavailable", err)
		}
		p.gone()

		time.AfterFunc(hasty, p.replica.Resume)
		lease, err := sure.LockContext(bounded(p))
		if err != nil || p.holder() != lease.Token() {
			p.Fatalf("LockContext when the replica is back: %v", err)
		}
		if err := lease.Unlock(context.Background()); err != nil {
			p.Error(err)
		}
	})
}

// TestRenewalWithoutReplica holds that a renewal of which no replica hears is tried
// again, and keeps nobody from learning at the deadline that the lock is lost.
func TestRenewalWithoutReplica(t *testing.T) {
	eachPair(t, func(p *pair) {
		const ttl = 1200 * time.Millisecond
		var failed, renewed atomic.Int32
		hooks := dislock.Hooks{
			RenewalFailed: func(dislock.RenewalFailedInfo) { failed.Add(1) },
			Renewed:       func(dislock.RenewedInfo) { renewed.Add(1) },
		}
		lease, err := p.mutex(hasty, dislock.WithTTL(ttl), dislock.WithHooks(hooks)).LockContext(bounded(p))
		if err != nil {
			p.Fatal(err)
		}
		p.replica.Pause()
		defer p.replica.Resume()
		wait(p, "a renewal fails", func() bool { return failed.Load() > 0 })
		p.replica.Resume()
		wait(p, "a renewal succeeds", func() bool { return renewed.Load() > 0 })
		if lease.Err() != nil {
			p.Fatal(lease.Err())
		}

		p.replica.Pause()
		paused, before := time.Now(), failed.Load()
		wait(p, "a renewal fails again", func() bool { return failed.Load() > before })
		// It is the renewal that has failed, and not the lease: nothing deletes that.
		if p.master.Do(p, "EXISTS", lockKey) != int64(1) {
			p.Error("the key is gone after a renewal that no replica has heard of")
		}
		<-lease.Done()
		if took := time.Since(paused); took > ttl+soon {
			p.Errorf("the loss was told after %v, want %v at most", took, ttl)
		}
		if err := lease.Err(); !errors.Is(err, dislock.ErrLost) || !errors.Is(err, dislock.ErrUnavailable) {
			p.Errorf("Err: %v, want ErrLost and ErrUnavailable", err)
		}
		_ = lease.Unlock(context.Background())
		p.gone()
	})
}

func wait(tb testing.TB, what string, f func() bool) {
	tb.Helper()
	for end := time.Now().Add(5 * time.Second); !f(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			tb.Fatalf("still not: %s", what)
		}
	}
}

// TestHandOverWithReplica holds that who is given the lock in line, by a release of
// another process, has it when the replica knows, and not before.
func TestHandOverWithReplica(t *testing.T) {
	eachPair(t, func(p *pair) {
		ctx := bounded(p)
		one, two := p.mutex(patient), p.mutex(patient, dislock.WithHooks(dislock.Hooks{
			Waiting: func(dislock.WaitingInfo) { p.waiting.Add(1) },
		}))
		lease, err := one.LockContext(ctx)
		if err != nil {
			p.Fatal(err)
		}
		for range 5 {
			p.handOver(ctx, lease, two, 0)
			if lease, err = one.LockContext(ctx); err != nil {
				p.Fatal(err)
			}
		}
		p.handOver(ctx, lease, two, 2*hasty)
	})
}

// handOver has next wait for lease, which is released while the replica stands still for
// a while, and checks when next has the lock and what the replica knows then.
func (p *pair) handOver(ctx context.Context, lease *dislock.Lease, next *dislock.Mutex, still time.Duration) {
	p.Helper()
	type result struct {
		lease *dislock.Lease
		err   error
		at    time.Time
	}
	got := make(chan result, 1)
	before := p.waiting.Load()
	go func() {
		lease, err := next.LockContext(ctx)
		got <- result{lease, err, time.Now()}
	}()
	// The answer to who waits has to be there, too: without the replica it would be late.
	wait(p, "it stands in line and knows", func() bool {
		return p.master.Do(p, "ZCARD", lineKey) == int64(1) && p.waiting.Load() > before
	})
	start := time.Now()
	if still > 0 {
		p.replica.Pause()
		defer p.replica.Resume()
		start = time.Now()
		time.AfterFunc(still, p.replica.Resume)
	}
	if err := lease.Unlock(ctx); err != nil {
		p.Fatal(err)
	}
	r := <-got
	if r.err != nil {
		p.Fatal(r.err)
	}
	if took := r.at.Sub(start); took < still {
		p.Errorf("it has the lock after %v, and the replica hears of that after %v", took, still)
	}
	if p.holder() != r.lease.Token() || r.lease.Fence() <= lease.Fence() {
		p.Errorf("the replica knows %q when %q has the lock, with the fence %d after %d",
			p.holder(), r.lease.Token(), r.lease.Fence(), lease.Fence())
	}
	if err := r.lease.Unlock(ctx); err != nil {
		p.Error(err)
	}
}

// TestLostWait holds that a request is sent once also if it is the answer of the
// replicas that gets lost, and that its lease is found.
func TestLostWait(t *testing.T) {
	eachPair(t, func(p *pair) {
		proxy := redistest.NewProxy(p, p.master.Addr())
		b := p.open(p, patient, proxy.Addr(), "", "")
		ctx := bounded(p)
		turn := func(token string) {
			if _, err := b.SetNX(ctx, "k", token, ttl); err != nil {
				p.Fatal(err)
			}
			if err := b.DeleteIfOwner(ctx, "k", token); err != nil {
				p.Fatal(err)
			}
		}
		turn("first") // the server knows the scripts
		for _, lost := range []string{"WAIT", "EVALSHA"} {
			proxy.ResetLog()
			proxy.LoseReply(lost, 1)
			if _, err := b.SetNX(ctx, "k", "token", ttl); err == nil || errors.Is(err, backend.ErrHeld) || proxy.Armed() != 0 {
				p.Errorf("SetNX whose answer to %s was lost: %v, want an unknown outcome", lost, err)
			}
			if log := strings.Join(proxy.Log(), " "); strings.Count(log, "EVALSHA") != 1 || strings.Count(log, "WAIT") > 1 {
				p.Errorf("sent %s, want each command once", log)
			}
			turn("token")
		}
	})
}
