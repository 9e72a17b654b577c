package recipetest

import (
	"errors"

	"github.com/dislock/dislock/backend"
)

func wrongType(t *T) {
	s, b := t.start()
	s.Do(t, "RPUSH", lock, "mine", "too")
	t.allUnknown(b)
	if n := s.Do(t, "LLEN", lock); n != int64(2) || len(s.Keys(t)) != 1 {
		t.Errorf("afterwards %v elements, keys %v; want the list as it was and nothing else", n, s.Keys(t))
	}
}

func wrongCounter(t *T) {
	s, b := t.start()
	s.Do(t, "RPUSH", fence, "mine")
	_, err := b.SetNX(t.ctx(), key, t.token, long)
	t.unknown("SetNX", err)
	if n := s.Do(t, "LLEN", fence); n != int64(1) || len(s.Keys(t)) != 1 {
		t.Errorf("afterwards %v elements, keys %v; want the list as it was and nothing taken", n, s.Keys(t))
	}
}

func plainKey(t *T) {
	s, b := t.start()
	for _, value := range []string{"", "another client's token"} {
		s.Do(t, "SET", lock, value)
		_, err := b.SetNX(t.ctx(), key, t.token, long)
		var held *backend.HeldError
		if !errors.As(err, &held) || *held != (backend.HeldError{}) {
			t.Errorf("held by %q for ever: %#v, want a HeldError that knows nothing", value, err)
		}
		if got := t.text(s, "GET", lock); got != value {
			t.Errorf("the key is now %q, want %q", got, value)
		}
	}
}

func plainRelease(t *T) {
	s, b := t.start()
	t.take(b, t.token)
	if got := t.text(s, "GET", lock); got != t.token {
		t.Errorf("GET %s = %q, want the token", lock, got)
	}
	s.Do(t, "EVAL", "return redis.call('GET', KEYS[1]) == ARGV[1] and redis.call('DEL', KEYS[1])", 1, lock, t.token)
	if err := b.DeleteIfOwner(t.ctx(), key, t.token); !errors.Is(err, backend.ErrNotOwner) {
		t.Errorf("DeleteIfOwner after a foreign release: %v, want ErrNotOwner", err)
	}
	if ok := s.Do(t, "SET", lock, "foreign", "NX", "PX", 60_000); ok != "OK" {
		t.Errorf("SET NX of the free key: %v, want OK", ok)
	}
	if _, err := b.SetNX(t.ctx(), key, t.token, long); !errors.Is(err, backend.ErrHeld) {
		t.Errorf("SetNX of a key that a plain client holds: %v, want ErrHeld", err)
	}
}

func everyKeyExpires(t *T) {
	s, b := t.start()
	s.CheckBounded(t)
	t.turn(b)
	t.take(b, t.token)
	s.Do(t, "PERSIST", fence) // somebody else's doing, mended by the next new lease
	if err := b.DeleteIfOwner(t.ctx(), key, t.token); err != nil {
		t.Fatal(err)
	}
	t.take(b, t.token)
	if err := b.ExpireIfOwner(t.ctx(), key, t.token, 2*long); err != nil {
		t.Fatal(err)
	}
	for name, left := range s.Keys(t) {
		if left <= 0 {
			t.Errorf("%s never expires", name)
		}
	}
}
