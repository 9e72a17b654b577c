package inspect

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"time"

	"github.com/dislock/dislock/backend"
)

// Lock is what Redis knows of one key, as it was when it was asked.
type Lock struct {
	// Key is the name that was given to dislock.New.
	Key string

	// Owner is the readable label that the holder chose (dislock.WithOwner), any
	// bytes at all: do not send them to a terminal as they are. It is empty if the
	// key is free, and if another client of the recipe holds it, whose token may
	// have no part that is safe to show.
	Owner string

	// Fence is that of the lease. 0 says that it is not known: the key is free,
	// another client holds it, or the counter is gone, which Redis forgets a day
	// after the grant unless the lease is renewed, at least once an hour.
	Fence uint64

	// Since is when the lease was granted, by the reader's clock: never later, and
	// earlier by some 10 ms and what the request took, at most. Redis tells it by the
	// age of the counter, so that the two clocks need not agree; when that is almost a
	// day the fence tells it, which was made of the server's clock. It is zero where the
	// fence is not known, and where its age makes no sense, as when the server's clock
	// was put back.
	Since time.Time

	// TTL is how long the lease lasts unless it is renewed or released; 0 if the
	// key is free, or held by another client for ever.
	TTL time.Duration

	// Waiting is how many stand in line. Who polls without standing in line is
	// not among them, and who died while waiting is until its turn comes. Somebody
	// may stand in line for a key that is free, for a moment.
	Waiting int

	// ID tells this lease from every other one; it is empty if the key is free. It
	// is no secret: it is made of the token and does not tell it.
	ID string
}

// Held reports whether somebody held the key.
func (l Lock) Held() bool { return l.ID != "" }

// counterLife is for how long Redis keeps the counter after a grant. What is left
// of that says how old the grant is, by a clock that need not agree with ours. When
// little is left renewals make it last longer, up to prolonged, and then it says
// nothing.
const (
	counterLife = 24 * time.Hour
	prolonged   = 2 * time.Hour
)

// maxFence is the largest that a script can count.
const maxFence = 1<<53 - 1

// A state is what Redis keeps of one key, the token included. It stays in here.
type state struct {
	token   string
	ttl     time.Duration // as PTTL says it: negative for none
	counter string        // "" if there is none
	life    time.Duration // of the counter, likewise
	waiting int
	held    bool
}

// lock returns what may be shown of s, which was asked for at asked.
func (s state) lock(key string, asked time.Time) Lock {
	l := Lock{Key: key, Waiting: s.waiting}
	if !s.held {
		return l
	}
	l.ID, l.Owner, l.TTL = s.id(), backend.Owner(s.token), max(s.ttl, 0)
	if s.ttl == 0 {
		l.TTL = time.Millisecond // PTTL cuts fractions off, and 0 is for ever
	}
	if fence, ok := fenceOf(s.counter); ok && s.counted() {
		l.Fence = fence
		l.Since = s.since(fence, asked)
	}
	return l
}

func (s state) since(fence uint64, asked time.Time) time.Time {
	age := counterLife - s.life
	switch {
	case s.life <= 0 || age < 0:
		return time.Time{}
	case s.life > prolonged:
		return asked.Add(-age - time.Millisecond) // of which Redis has cut fractions off
	}
	// A fence is the microseconds since 1970, or a little more: that of a clock which
	// was put back is not old enough.
	granted := time.UnixMicro(int64(fence))
	if asked.Sub(granted) < counterLife-prolonged-time.Hour {
		return time.Time{}
	}
	return granted
}

// counted reports whether it is one of us who holds the key: the lease of another
// client has not been counted, and the counter is that of one before. An empty
// label tells nothing, so the token gets one.
func (s state) counted() bool { return backend.Owner("-"+s.token) != "" }

// id is a hash of what makes a lease: a token takes a key again if its first
// lease has ended before it heard of it.
func (s state) id() string {
	sum := sha256.Sum256(fmt.Appendf(nil, "%s\n%s", s.counter, s.token))
	return hex.EncodeToString(sum[:16])
}
