package fuzz_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/dislock/dislock"
	"github.com/dislock/dislock/backend"
	"github.com/dislock/dislock/backend/memory"
	"github.com/dislock/dislock/internal/fuzz"
)

// FuzzMemoryBytes looks for a key or an owner's label with which a lock is not itself
// any more: it lets two in, is another key's lock as well, says a wrong owner, or
// does not find who is next in line.
func FuzzMemoryBytes(f *testing.F) {
	fuzzBytes(f, func(testing.TB) (a, b backend.Line, k *keyspace) {
		store := memory.New()
		return store, store, nil
	})
}

// FuzzRedigoBytes is FuzzMemoryBytes on a server, where a lock has three names.
func FuzzRedigoBytes(f *testing.F) { fuzzServerBytes(f, fuzz.Redigo) }

// FuzzGoRedisBytes is FuzzRedigoBytes for the other driver.
func FuzzGoRedisBytes(f *testing.F) { fuzzServerBytes(f, fuzz.GoRedis) }

func fuzzServerBytes(f *testing.F, client func(addr string, inline bool) fuzz.Client) {
	var a, b fuzz.Client // the process's, once there is an input
	var k *keyspace
	fuzzBytes(f, func(tb testing.TB) (backend.Line, backend.Line, *keyspace) {
		if k == nil {
			s := fuzz.Server(tb)
			a, b, k = client(s.Addr(), true), client(s.Addr(), false), newKeyspace(tb, s)
			fuzz.AtEnd(a.Close)
			fuzz.AtEnd(b.Close)
		}
		return a.Line, b.Line, k
	})
}

func fuzzBytes(f *testing.F, open func(tb testing.TB) (a, b backend.Line, k *keyspace)) {
	secret := backend.NewToken("x")
	odd := []string{
		"k", "{", "}", "{}", "}{", `\`, `\}`, "}}", "a}b", "{a}b", "a}:line", "a}:fence", ":", "::", ":1000:", "1:2:3", " ", "1 2 3", "hello 1", "%d%s", "%", "%f()",
		"\x00", "a\x00b", "\n", "\r\n", "a\r\n$1\r\n", "\xff\xfe", "\u2028", "*", "?", "[a-z]", "-1", "0", "1e999", "nil", secret, secret[1:], "'; return 1 --", "]]", strings.Repeat("x", 300),
	}
	for i, s := range odd {
		t := odd[(i+7)%len(odd)]
		f.Add(s, t, s, uint16(i))
		f.Add(t+s, s, "", uint16(i*257))
	}
	f.Fuzz(func(t *testing.T, key, one, two string, change uint16) {
		if key == "" || len(key) > 2000 {
			return
		}
		a, b, k := open(t)
		l := &locks{T: t, a: a, b: b, keyspace: k, key: key, neighbour: neighbour(key, change)}
		l.check(one[:min(len(one), 255)], two[:min(len(two), 255)])
	})
}

// neighbour returns a key that differs from key in one byte.
func neighbour(key string, change uint16) string {
	at, bit := int(change>>2)%len(key), byte(1)<<(change>>13)
	other := []byte(key)
	switch {
	case change%4 == 1:
		return key + string(other[at]^bit)
	case change%4 == 2:
		return string(other[at]^bit) + key
	case change%4 == 3 && len(key) > 1:
		return string(slices.Delete(other, at, at+1))
	}
	other[at] ^= bit
	return string(other)
}

// locks are a key and its neighbour.
type locks struct {
	*testing.T
	a, b           backend.Line
	keyspace       *keyspace // nil if there is no server
	key, neighbour string
}

// check has the key held by one, who is followed by two who stood in line, and the
// neighbour held all the while.
func (l *locks) check(one, two string) {
	ctx, cancel := context.WithTimeout(context.Background(), generous)
	defer cancel()
	mine := dislock.New(l.a, l.key, dislock.WithOwner(one))
	yours := dislock.New(l.b, l.key, dislock.WithOwner(two))
	next := dislock.New(l.b, l.neighbour, dislock.WithOwner(two))

	held, err := mine.TryLockContext(ctx)
	beside, err2 := next.TryLockContext(ctx)
	if err != nil || err2 != nil {
		l.Fatalf("the keys %q and %q are free: %v, %v", l.key, l.neighbour, err, err2)
	}
	l.refuses(yours, one)
	l.refuses(dislock.New(l.a, l.neighbour, dislock.WithOwner(one)), two)

	second := l.stand(ctx, l.b, two, 1)
	third := l.stand(ctx, l.a, two+one, 2)
	if l.keyspace != nil {
		l.keyspace.holds(l.T, append(names(l.key), names(l.neighbour)[:2]...))
	}
	if err := held.Unlock(ctx); err != nil {
		l.Fatalf("unlock: %v", err)
	}
	fence := second.turn(l.T, held.Fence())
	l.refuses(mine, two)
	second.leave(l.T)
	third.turn(l.T, fence)
	l.refuses(yours, two+one)
	third.leave(l.T)

	again, err := yours.TryLockContext(ctx)
	if err != nil {
		l.Fatalf("the key %q is free: %v", l.key, err)
	}
	if err, err2 := again.Unlock(ctx), beside.Unlock(ctx); err != nil || err2 != nil {
		l.Fatalf("unlock: %v, and of its neighbour: %v", err, err2)
	}
	if l.keyspace != nil {
		l.keyspace.holds(l.T, []string{names(l.key)[1], names(l.neighbour)[1]})
		l.keyspace.flush(l.T)
	}
}

// refuses checks that mu is held by owner.
func (l *locks) refuses(mu *dislock.Mutex, owner string) {
	l.Helper()
	lease, err := mu.TryLockContext(context.Background())
	var held *dislock.HeldError
	if !errors.As(err, &held) || held.Owner != owner {
		l.Fatalf("the lock is held by %q: %v, %v", owner, lease, err)
	}
}

// A waiter stands in line for the key.
type waiter struct {
	line       backend.Line
	key, token string
	told       chan backend.Grant
}

// stand has a new token with this label stand in line, which must be the nth; but a
// client that does not listen yet does so first.
func (l *locks) stand(ctx context.Context, line backend.Line, label string, n int) *waiter {
	l.Helper()
	w := &waiter{line, l.key, backend.NewToken(label), make(chan backend.Grant, 1)}
	for {
		_, err := line.Join(ctx, w.key, w.token, time.Minute, time.Minute, w.told)
		var held *backend.HeldError
		if !errors.As(err, &held) {
			l.Fatalf("Join: %v, want a refusal", err)
		}
		if held.Place == n {
			break
		}
		if held.Place > 0 {
			l.Fatalf("the place in line is %d, want %d", held.Place, n)
		}
		time.Sleep(time.Millisecond)
	}
	select {
	case <-w.told: // that it should ask, which it has done
	default:
	}
	return w
}

// turn waits until w is told of its turn, and returns the fence.
func (w *waiter) turn(t *testing.T, last uint64) uint64 {
	t.Helper()
	late := time.NewTimer(generous)
	defer late.Stop()
	select {
	case g := <-w.told:
		if g.Fence <= last {
			t.Fatalf("told of fence %d, the one before was %d", g.Fence, last)
		}
		return g.Fence
	case <-late.C:
		t.Fatalf("the first in line, with the token %q, is not told", w.token)
	}
	panic("unreachable")
}

// leave has w, who holds the key, release it.
func (w *waiter) leave(t *testing.T) {
	t.Helper()
	ctx, cancel := backend.Bounded(context.Background(), generous)
	defer cancel()
	if err := w.line.ExpireIfOwner(ctx, w.key, w.token, time.Minute); err != nil {
		t.Fatalf("ExpireIfOwner by the owner: %v", err)
	}
	if err := w.line.DeleteIfOwner(ctx, w.key, w.token); err != nil {
		t.Fatalf("DeleteIfOwner by the owner: %v", err)
	}
}
