package recipetest

import (
	"time"

	"github.com/dislock/dislock/backend"
)

// grew checks that the next two fences exceed last, and returns the second.
func (t *T) grew(b backend.Backend, after string, last uint64) uint64 {
	t.Helper()
	for range 2 {
		next := t.turn(b)
		if next <= last {
			t.Errorf("after %s: fence %d, the one before was %d", after, next, last)
		}
		last = next
	}
	return last
}

func lostCounter(t *T) {
	s, b := t.start()
	last := t.grew(b, "the start", 0)
	s.Flush(t)
	last = t.grew(b, "FLUSHALL", last)
	s.Do(t, "DEL", fence)
	last = t.grew(b, "the counter's end", last)
	s.Do(t, "SET", fence, "not a number")
	last = t.grew(b, "somebody wrote to the counter", last)

	held := t.take(b, t.token)
	if again := t.take(b, t.token); again != held || held <= last {
		t.Errorf("fence %d, and %d for the same lease; the last one was %d", held, again, last)
	}
	s.Do(t, "DEL", fence)
	if again := t.take(b, t.token); again <= held {
		t.Errorf("fence %d, %d when the counter was lost in the middle of the lease", held, again)
	}
}

// staleCounter does to the counter what a failover does that loses the last
// writes: it has the value and the expiry that it had a while ago.
func staleCounter(t *T) {
	s, b := t.start()
	old := t.turn(b)
	last := t.grew(b, "the start", t.grew(b, "the start", old))
	const day, ago = 24 * time.Hour, 15 * time.Millisecond
	s.Do(t, "SET", fence, old, "PX", (day - ago).Milliseconds())
	t.grew(b, "a failover", last)
}

func fastClock(t *T) {
	s, b := t.start()
	ahead := uint64(time.Now().Add(time.Hour).UnixMicro())
	for _, seconds := range []int{1, 86_400} { // set a while ago, and just now
		s.Do(t, "SET", fence, ahead, "EX", seconds)
		for range 3 {
			ahead++
			if got := t.turn(b); got != ahead {
				t.Errorf("fence %d, want %d", got, ahead)
			}
		}
	}
}

func exactFence(t *T) {
	s, b := t.start()
	const most = 1<<53 - 1
	for _, seconds := range []int{1, 86_400} { // through both ways to count
		s.Do(t, "SET", fence, most-10, "EX", seconds)
		for want := uint64(most - 9); want <= most; want++ {
			if got := t.turn(b); got != want {
				t.Errorf("fence %d, want %d", got, want)
			}
		}
		_, err := b.SetNX(t.ctx(), key, t.token, long)
		t.unknown("SetNX beyond 2^53", err)
		if err := b.DeleteIfOwner(t.ctx(), key, t.token); err != nil {
			t.Errorf("DeleteIfOwner after it: %v, want nil", err)
		}
	}
}
