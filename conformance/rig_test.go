package conformance

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/gomodule/redigo/redis"

	"github.com/dislock/dislock/backend"
	"github.com/dislock/dislock/internal/fuzz"
)

// A rig is a real server of which the model knows what it will do. Its time is
// told: leases last for hours, of which a program needs none, and when hours go by
// in the program an admin takes them off the keys. And its clients listen from the
// beginning, so that places in line are places.
type rig struct {
	clients [2]fuzz.Client
	bells   [2]*bell
	admin   redis.Conn
	made    time.Time
	passed  time.Duration // in the program
}

// newRig makes a rig that ends with the process.
func newRig(tb testing.TB, client func(addr string, inline bool) fuzz.Client) *rig {
	addr := fuzz.Server(tb).Addr()
	admin, err := redis.Dial("tcp", addr, redis.DialReadTimeout(generous))
	if err != nil {
		tb.Fatal(err)
	}
	fuzz.AtEnd(func() { admin.Close() })
	r := &rig{admin: admin, made: time.Now()}
	for i := range r.clients {
		r.clients[i] = client(addr, i == 0)
		fuzz.AtEnd(r.clients[i].Close)
		r.bells[i] = newBell(tb, r.clients[i].Line)
	}
	return r
}

func (r *rig) now() time.Time { return r.made.Add(r.passed) }

func (r *rig) pass(tb testing.TB, d time.Duration, leases map[string]modelLease) {
	r.passed += d
	for key, l := range leases {
		left := max(l.ends.Sub(r.now()), 0) // of none, the lease ends at once
		if _, err := r.admin.Do("PEXPIRE", lockName(key), left.Milliseconds()); err != nil {
			tb.Fatal(err)
		}
	}
}

// lockName is the name that is documented, for a key of these tests.
func lockName(key string) string { return "dislock:{" + key + "}" }

// run runs code, which leaves no key behind.
func (r *rig) run(t *testing.T, code []byte) {
	r.passed = 0
	t.Cleanup(func() { r.clear(t) })
	connected := 0
	c := newC(t, Harness{Open: func(testing.TB) Store {
		return Store{Connect: func(testing.TB) backend.Backend {
			connected++
			return r.clients[connected%2].Line
		}}
	}}, modelCases[0])
	c.agree(code, world{
		unit:  time.Hour,
		slack: time.Minute,
		knows: true,
		now:   r.now,
		pass: func(d time.Duration, leases map[string]modelLease) {
			r.pass(t, d, leases)
		},
		settle: await,
		over: func() {
			for _, b := range r.bells {
				b.ring(t)
			}
		},
	})
}

// clear deletes the counters of a program, and looks that there is nothing else.
func (r *rig) clear(t *testing.T) {
	left, err := redis.Strings(r.admin.Do("KEYS", "dislock:{conformance:*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range left {
		if !strings.HasSuffix(name, "}:fence") && !t.Failed() {
			t.Errorf("left behind: %q", name)
		}
		if _, err := r.admin.Do("DEL", name); err != nil {
			t.Fatal(err)
		}
	}
}

// await waits until there is something on told; on nil, not at all. It gives up
// before fuzzing gives up the input, and says why.
func await(told <-chan backend.Grant) {
	for end := time.Now().Add(generous / 2); told != nil && len(told) == 0 && time.Now().Before(end); {
		time.Sleep(50 * time.Microsecond)
	}
}

// A bell is rung to be heard: it comes by the way by which a client hears of its
// turn, so what was said before has been heard as well.
type bell struct {
	line          backend.Line
	holds, stands string
	told          chan backend.Grant
}

func newBell(tb testing.TB, line backend.Line) *bell {
	b := &bell{line: line, holds: backend.NewToken("bell"), told: make(chan backend.Grant, 1)}
	if _, err := line.SetNX(b.ctx(), b.key(), b.holds, long); err != nil {
		tb.Fatal(err)
	}
	b.stand(tb)
	return b
}

func (b *bell) key() string { return fmt.Sprintf("bell %p", b) }

func (b *bell) ctx() context.Context {
	ctx, _ := backend.Bounded(context.Background(), generous) // it has no timer to stop
	return ctx
}

// stand has a new token stand in line, as soon as the client listens.
func (b *bell) stand(tb testing.TB) {
	b.stands = backend.NewToken("bell")
	for end := time.Now().Add(generous); ; time.Sleep(poll) {
		_, err := b.line.Join(b.ctx(), b.key(), b.stands, long, long, b.told)
		if standingIn(err).place == 1 {
			break
		}
		if time.Now().After(end) {
			tb.Fatalf("no place in line for the bell: %v", err)
		}
	}
	select {
	case <-b.told: // that it should ask, which it has done
	default:
	}
}

func (b *bell) ring(tb testing.TB) {
	if err := b.line.DeleteIfOwner(b.ctx(), b.key(), b.holds); err != nil {
		tb.Fatalf("the bell: %v", err)
	}
	await(b.told)
	select {
	case <-b.told:
	default:
		tb.Fatal("the bell was not heard")
	}
	b.holds = b.stands
	b.stand(tb)
}
