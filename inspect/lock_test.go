package inspect_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/dislock/dislock"
	"github.com/dislock/dislock/backend"
	"github.com/dislock/dislock/inspect"
)

const key = "invoices:2026-11"

// TestLock looks at a lock that one driver holds and both wait for.
func TestLock(t *testing.T) {
	t.Parallel()
	for name, driver := range drivers {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, _, i := server(t)
			if l := look(t, i, key); l != (inspect.Lock{Key: key}) || l.Held() {
				t.Errorf("a key that nobody ever held: %+v", l)
			}
			began := time.Now()
			lease := hold(t, driver(t, s.Addr()), key, "holder")
			held := time.Now()
			for n, open := range []string{"redigo", "goredis"} {
				queue(t, drivers[open](t, s.Addr()), key, "waiter")
				waitFor(t, i, key, n+1)
			}
			l := look(t, i, key)
			if !l.Held() || l.Key != key || l.Owner != "holder" || l.Fence != lease.Fence() || l.Waiting != 2 {
				t.Errorf("%+v, want the fence %d of %q and two waiters", l, lease.Fence(), "holder")
			}
			if l.TTL <= 20*time.Second || l.TTL > 30*time.Second {
				t.Errorf("%v are left, want most of 30s", l.TTL)
			}
			time.Sleep(50 * time.Millisecond)
			// Never later than the grant; and 10 ms earlier, and a request that took its time.
			if l := look(t, i, key); l.Since.After(held) || l.Since.Before(began.Add(-2*time.Second)) {
				t.Errorf("held since %v, taken between %v and %v", l.Since, began, held)
			}
		})
	}
}

// TestNextLease holds that another lease of the same owner is another lease.
func TestNextLease(t *testing.T) {
	t.Parallel()
	s, client, i := server(t)
	b := open(t, client)
	token := backend.NewToken("owner")
	var last inspect.Lock
	for range 3 {
		fence, err := b.SetNX(within(t), key, token, time.Minute)
		if err != nil {
			t.Fatal(err)
		}
		l := look(t, i, key)
		if l.Fence != fence || l.Fence <= last.Fence || l.ID == last.ID || l.Owner != "owner" {
			t.Errorf("%+v after %+v, want another lease with the fence %d", l, last, fence)
		}
		if err := b.ExpireIfOwner(within(t), key, token, time.Hour); err != nil {
			t.Fatal(err)
		}
		if again := look(t, i, key); again.ID != l.ID || again.TTL <= time.Minute {
			t.Errorf("%+v when prolonged, and %+v before: want the same lease", again, l)
		}
		last = l
		if err := b.DeleteIfOwner(within(t), key, token); err != nil {
			t.Fatal(err)
		}
	}
	s.Do(t, "SET", "dislock:{"+key+"}", token, "PX", 60_000) // as by another client
	s.Do(t, "DEL", "dislock:{"+key+"}:fence")
	if l := look(t, i, key); l.Owner != "owner" || l.Fence != 0 || !l.Since.IsZero() || !l.Held() {
		t.Errorf("%+v without a counter, want a lease of unknown fence", l)
	}
}

// TestImplausibleSince holds that no age is made up from a counter whose life says
// none, and that a clock that was put back does not make a grant of the future.
func TestImplausibleSince(t *testing.T) {
	t.Parallel()
	s, client, i := server(t)
	lease := hold(t, open(t, client), key, "owner")
	const counter = "dislock:{" + key + "}:fence"
	for _, spoil := range [][]any{{"PERSIST", counter}, {"PEXPIRE", counter, 25 * time.Hour.Milliseconds()}} {
		s.Do(t, spoil[0].(string), spoil[1:]...)
		if l := look(t, i, key); !l.Since.IsZero() || l.Fence != lease.Fence() {
			t.Errorf("since %v with the fence %d after %v, want the fence %d and no time", l.Since, l.Fence, spoil[0], lease.Fence())
		}
	}
}

// TestHeldForWeeks holds that a lease that is renewed keeps its fence for longer than
// Redis keeps an idle counter, and what is said of its age.
func TestHeldForWeeks(t *testing.T) {
	t.Parallel()
	s, client, i := server(t)
	b := open(t, client)
	lease := hold(t, b, key, "leader")
	const counter = "dislock:{" + key + "}:fence"
	renew := func() {
		t.Helper()
		if err := b.ExpireIfOwner(within(t), key, lease.Token(), time.Minute); err != nil {
			t.Fatal(err)
		}
	}
	life := func() time.Duration { return time.Duration(s.Do(t, "PTTL", counter).(int64)) * time.Millisecond }

	s.Do(t, "PEXPIRE", counter, (3 * time.Hour).Milliseconds())
	renew()
	if got := life(); got <= 2*time.Hour || got > 3*time.Hour {
		t.Errorf("the counter lives for %v, want it left alone", got)
	}
	for _, ago := range []time.Duration{23*time.Hour + 30*time.Minute, 15 * 24 * time.Hour} {
		granted := time.Now().Add(-ago)
		s.Do(t, "SET", counter, granted.UnixMicro(), "PX", time.Minute.Milliseconds())
		renew()
		if got := life(); got <= time.Hour || got > 2*time.Hour {
			t.Errorf("the counter lives for %v, want it prolonged to 2h", got)
		}
		l := look(t, i, key)
		if l.Fence != uint64(granted.UnixMicro()) || !l.Since.Equal(granted.Truncate(time.Microsecond)) {
			t.Errorf("%+v, want the fence and the time of the grant, %v", l, granted)
		}
	}
	s.Do(t, "SET", counter, time.Now().UnixMicro(), "PX", time.Minute.Milliseconds()) // a clock that was put back
	renew()
	if l := look(t, i, key); !l.Since.IsZero() || l.Fence == 0 {
		t.Errorf("%+v, want the fence and no time", l)
	}
	s.Do(t, "DEL", counter)
	renew()
	if got := s.Do(t, "EXISTS", counter).(int64); got != 0 {
		t.Error("a renewal made a counter of nothing")
	}
}

// TestOtherClient looks at locks that other clients of the recipe keep.
func TestOtherClient(t *testing.T) {
	t.Parallel()
	s, client, i := server(t)
	_ = hold(t, open(t, client), key, "before").Unlock(within(t)) // leaves a counter
	for _, token := range []string{"", "1", "somebody:secret"} {
		s.Do(t, "SET", "dislock:{"+key+"}", token)
		l := look(t, i, key)
		if l.ID == "" || l != (inspect.Lock{Key: key, ID: l.ID}) {
			t.Errorf("held by %q: %+v, want held and nothing else", token, l)
		}
	}
	unnamed := hold(t, open(t, client), "unnamed", "")
	if l := look(t, i, "unnamed"); l.Fence != unnamed.Fence() || l.Since.IsZero() || l.Owner != "" {
		t.Errorf("held by one of us without a label: %+v, want its fence", l)
	}
}

// TestNoToken holds that nothing shows a token: no value however it is printed, and
// no error.
func TestNoToken(t *testing.T) {
	t.Parallel()
	s, client, i := server(t)
	hold(t, open(t, client), key, "owner", dislock.WithTTL(time.Minute))
	token := string(s.Do(t, "GET", "dislock:{"+key+"}").([]byte))
	secret := strings.TrimPrefix(token, "owner:")

	l := look(t, i, key)
	js, err := json.Marshal(l)
	if err != nil {
		t.Fatal(err)
	}
	shown := fmt.Sprintf("%v %+v %#v %s", l, struct{ l *inspect.Lock }{&l}, l, js)
	s.Do(t, "DEL", "dislock:{"+key+"}:line")
	s.Do(t, "RPUSH", "dislock:{"+key+"}:line", token) // an error in the middle of it
	_, err = i.Lock(within(t), key)
	if !redis.HasErrorPrefix(err, "WRONGTYPE") {
		t.Errorf("error %v, want the server's", err)
	}
	_, broken := i.Break(within(t), l)
	if broken == nil {
		t.Error("broken with a line of another type")
	}
	s.Do(t, "DEL", "dislock:{"+key+"}:line")
	shown += fmt.Sprintf(" %+v %+v", err, broken)
	if strings.Contains(shown, secret[:10]) || !strings.Contains(shown, "owner") {
		t.Errorf("the token %s is in: %s", token, shown)
	}
}
