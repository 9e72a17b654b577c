package dislock

import (
	"context"
	"errors"
	"time"

	"github.com/dislock/dislock/backend"
)

// WithMinHold keeps the lock locked for at least d, counted from the moment of the
// acquisition, however early it is unlocked; by default an Unlock frees it at once.
// It is for a job that many machines start at the same time by clocks that differ by
// less than d: the one that comes late finds the lock held, not the work done and the
// lock free.
//
// An earlier Unlock ends the hold as ever, and returns at once. But the key is left to
// end by itself when d has passed, and nobody has it before that: no other process,
// nor a goroutine of this one. d may be longer than the ttl. A holder that dies or
// loses the lock leaves the key behind for its ttl, which may be shorter than d, and
// so may one whose Unlock does not reach the store. An adopted lease counts from its
// adoption. d is not above the maximum hold.
func WithMinHold(d time.Duration) Option {
	return func(c *config) {
		mustBePositive("minimum hold", d)
		c.minHold = d
	}
}

// A minimum hold outlasts an Unlock that comes early: the key is not deleted then,
// but given an end. The holder has let go all the same, and nothing is renewed.

// keepUntil returns until when the key is to be kept though its holder has let go: the
// zero Time if it is not. It is an instant of the monotonic clock, which nobody sets:
// with the wall clock set forward the hold would look longer than it was.
func (l *Lease) keepUntil() time.Time {
	if l.mutex.minHold == 0 {
		return time.Time{}
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.waived {
		return time.Time{}
	}
	return l.began.mono.Add(l.mutex.minHold)
}

// waiveMinHold lets the next Unlock free the key at once.
func (l *Lease) waiveMinHold() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.waived = true
}

// takeBack gives back, in the background, a key that l may still have though its
// holder has let go.
func (l *Lease) takeBack() {
	r := l.mutex.newReclaim(l.token)
	r.keep = l.keepUntil()
	go r.attempt()
}

// endToken asks the store once to end the lease of token, with a ctx that lasts as
// long as one request may: at once, or when keep has come.
func (m *Mutex) endToken(request context.Context, token string, keep time.Time) error {
	err := m.endTokenAt(request, token, keep)
	if err == nil || errors.Is(err, backend.ErrNotOwner) {
		return err
	}
	return unavailable(noAnswer(err, m.requestTimeout()))
}

func (m *Mutex) endTokenAt(request context.Context, token string, keep time.Time) error {
	if !keep.IsZero() {
		if rest := keep.Sub(m.now().mono); rest > 0 {
			return m.backend.ExpireIfOwner(request, m.key, token, wholeMilliseconds(rest))
		}
	}
	return m.backend.DeleteIfOwner(request, m.key, token)
}

// wholeMilliseconds rounds d up.
func wholeMilliseconds(d time.Duration) time.Duration {
	return (d + time.Millisecond - 1).Truncate(time.Millisecond)
}
