package inspect_test

import (
	"errors"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/dislock/dislock"
	"github.com/dislock/dislock/backend"
	"github.com/dislock/dislock/inspect"
	"github.com/dislock/dislock/internal/redistest"
)

// TestBreak ends the lease of a holder of each driver, and sees who has the lock then,
// and that the holder is told.
func TestBreak(t *testing.T) {
	t.Parallel()
	for name, driver := range drivers {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, _, i := server(t)
			lease := hold(t, driver(t, s.Addr()), key, "hung", dislock.WithTTL(600*time.Millisecond))
			first := queue(t, drivers["goredis"](t, s.Addr()), key, "first")
			waitFor(t, i, key, 1)
			second := queue(t, drivers["redigo"](t, s.Addr()), key, "second")
			seen := waitFor(t, i, key, 2)

			after, err := i.Break(within(t), seen)
			if err != nil || after.Owner != "first" || after.Waiting != 1 || after.Fence <= lease.Fence() || after.ID == seen.ID {
				t.Fatalf("%+v, %v after %+v; want it to have passed to the first in line", after, err, seen)
			}
			next := <-first
			if next.Fence() != after.Fence {
				t.Errorf("the first in line has the fence %d, want %d", next.Fence(), after.Fence)
			}
			select {
			case <-lease.Done():
				if !errors.Is(lease.Err(), dislock.ErrLost) {
					t.Errorf("its holder was told %v, want a loss", lease.Err())
				}
			case <-time.After(5 * time.Second):
				t.Error("its holder was not told")
			}

			// What was seen is over: neither it nor anything else is ended again.
			if after, err := i.Break(within(t), seen); !errors.Is(err, inspect.ErrChanged) || after != (inspect.Lock{Key: key}) {
				t.Errorf("once more: %+v, %v; want ErrChanged", after, err)
			}
			if l := look(t, i, key); l.ID != after.ID || next.Err() != nil {
				t.Errorf("then %+v holds it, want %+v", l, after)
			}
			_ = next.Unlock(within(t))
			<-second
			waitFor(t, i, key, 0)
			after, err = i.Break(within(t), look(t, i, key))
			if err != nil || after != (inspect.Lock{Key: key}) {
				t.Errorf("%+v, %v with nobody in line; want it free", after, err)
			}
			if _, err := i.Break(within(t), after); !errors.Is(err, inspect.ErrChanged) {
				t.Errorf("error %v for a lock that nobody holds, want ErrChanged", err)
			}
		})
	}
}

// TestBreakOfAnotherClient ends what has no fence.
func TestBreakOfAnotherClient(t *testing.T) {
	t.Parallel()
	s, _, i := server(t)
	s.Do(t, "SET", "dislock:{"+key+"}", "1")
	if after, err := i.Break(within(t), look(t, i, key)); err != nil || after.Held() {
		t.Errorf("%+v, %v; want it free", after, err)
	}
}

// TestBreakSkipsTheDead holds that the lock does not go to who has died in line.
func TestBreakSkipsTheDead(t *testing.T) {
	t.Parallel()
	s, client, i := server(t)
	b := open(t, client)
	hold(t, b, key, "hung")
	queue(t, b, key, "alive")
	waitFor(t, i, key, 1)
	s.Do(t, "ZADD", "dislock:{"+key+"}:line", 1, "NOBODY:60000:"+backend.NewToken("dead"))
	if after, err := i.Break(within(t), waitFor(t, i, key, 2)); err != nil || after.Owner != "alive" || after.Waiting != 0 {
		t.Errorf("%+v, %v; want it to have passed to who lives", after, err)
	}
}

// TestBreakRenewed holds that a renewal in between makes no other lease of it.
func TestBreakRenewed(t *testing.T) {
	t.Parallel()
	_, client, i := server(t)
	b := open(t, client)
	token := backend.NewToken("owner")
	if _, err := b.SetNX(within(t), key, token, time.Minute); err != nil {
		t.Fatal(err)
	}
	seen := look(t, i, key)
	meddle(client, "evalsha", func() {
		if err := b.ExpireIfOwner(within(t), key, token, time.Hour); err != nil {
			t.Error(err)
		}
	})
	if after, err := i.Break(within(t), seen); err != nil || after.Held() {
		t.Errorf("%+v, %v; want it free", after, err)
	}
}

// TestBreakOvertaken has the lease that was seen end, and the same token take the key
// anew, at each moment while it is being broken. Nothing must happen to the new one.
func TestBreakOvertaken(t *testing.T) {
	t.Parallel()
	for _, moment := range []string{"get", "watch", "evalsha"} {
		t.Run(moment, func(t *testing.T) {
			t.Parallel()
			s, client, i := server(t)
			b := open(t, connect(t, &redis.Options{Addr: s.Addr()}))
			token := backend.NewToken("owner")
			take := func() {
				if _, err := b.SetNX(within(t), key, token, time.Minute); err != nil {
					t.Error(err)
				}
			}
			take()
			seen := look(t, i, key)
			met := meddle(client, moment, func() {
				if err := b.DeleteIfOwner(within(t), key, token); err != nil {
					t.Error(err)
				}
				take()
			})
			after, err := i.Break(within(t), seen)
			if !errors.Is(err, inspect.ErrChanged) || after.Held() || !met.Load() {
				t.Errorf("%+v, %v; want ErrChanged (meddled: %v)", after, err, met.Load())
			}
			if l := look(t, i, key); !l.Held() || l.ID == seen.ID {
				t.Errorf("then %+v, want the lease that was taken meanwhile", l)
			}
		})
	}
}

// TestBreakOnce holds that a lost answer is an unknown outcome: who asks a second
// time would be told that the lease has ended already.
func TestBreakOnce(t *testing.T) {
	t.Parallel()
	s := redistest.Start(t)
	p := redistest.NewProxy(t, s.Addr())
	client := connect(t, &redis.Options{Addr: p.Addr(), MaxRetries: 3, MinRetryBackoff: -1})
	i := inspect.New(client)
	take(t, drivers["redigo"](t, s.Addr()), []string{"other", key})
	if _, err := i.Break(within(t), look(t, i, "other")); err != nil { // and the server knows the script
		t.Fatal(err)
	}
	seen := look(t, i, key)
	p.ResetLog()
	meddle(client, "evalsha", func() { p.LoseReply("exec", 1) })
	after, err := i.Break(within(t), seen)
	sent := 0
	for _, name := range p.Log() {
		if name == "EVALSHA" || name == "EVAL" {
			sent++
		}
	}
	if err == nil || errors.Is(err, inspect.ErrChanged) || after.Held() || sent != 1 || p.Armed() != 0 {
		t.Errorf("%+v, %v after %d requests, want an unknown outcome of one", after, err, sent)
	}
	if l := look(t, i, key); l.Held() {
		t.Errorf("%+v, want it free: the answer was lost, not the request", l)
	}
}
