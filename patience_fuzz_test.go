package dislock

import (
	"testing"
	"time"

	"github.com/dislock/dislock/backend"
)

// FuzzUntilNext holds that there is a pause between two questions, and not too long a
// one, whatever a backend says of the holder's lease and the place in line.
func FuzzUntilNext(f *testing.F) {
	f.Add(int64(time.Second), 1, true, false, uint16(5), uint16(250))
	f.Add(int64(0), 0, false, true, uint16(1), uint16(1))
	f.Add(int64(1), 3, true, true, uint16(5), uint16(0))
	f.Add(int64(-1), -1, false, true, uint16(0), uint16(60_000))
	f.Add(int64(time.Hour), 1<<20, false, true, uint16(5), uint16(250))
	f.Fuzz(func(t *testing.T, ttl int64, place int, fresh, stood bool, least, most uint16) {
		from := time.Duration(least)*time.Millisecond + time.Millisecond
		to := from + time.Duration(most)*time.Millisecond
		a := &acquisition{call: call{Mutex: New(nowhere{}, "k", WithBackoff(from, to))}, stood: stood}
		held := &HeldError{TTL: time.Duration(ttl), Place: place, New: fresh}
		got := a.untilNext(&backoff{next: from, max: to}, held)
		lower, upper := from/2, to // jittered by half
		if place > 0 {
			upper = maxPatience
		}
		if ttl > 0 {
			lower = min(lower, held.TTL)
		}
		if got < lower || got > upper {
			t.Errorf("%+v, backoff from %v to %v: the next question after %v", held, from, to, got)
		}
	})
}

// nowhere is a backend that is not asked.
type nowhere struct{ backend.Backend }
