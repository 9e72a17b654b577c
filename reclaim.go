package dislock

import (
	"context"
	"errors"
	"time"

	"github.com/dislock/dislock/backend"
)

// maxReclaims bounds how many tokens one Mutex takes back at a time, beyond the
// first try for each: a loop of TryLocks on a store that is down shall not make it
// busy for the next ttl.
const maxReclaims = 16

// A reclaim takes back a token that may own the key though nobody holds it: after
// a request with an unknown outcome that nobody will repeat. It asks in the
// background until the store has answered, and no longer than a ttl, when the
// lease has ended by itself. Between two attempts there is a timer, no goroutine.
type reclaim struct {
	*Mutex
	token   string
	keep    time.Time // the key is to be kept until then; zero: it is not
	until   time.Time
	pauses  backoff
	again   []time.Duration // after the answer, once more after each of these
	counted bool            // among the Mutex's reclaims
}

// straggles are when a request may still arrive whose caller has left, without the
// network being at fault: soon, because it went out on another connection, which
// the store reads later; and a good deal later, if a thread of a starved process
// was stopped between its last look at ctx and the write.
var straggles = []time.Duration{20 * time.Millisecond, 500 * time.Millisecond}

func (m *Mutex) takeBack(token string) { go m.newReclaim(token).attempt() }

// takeBackAgain is takeBack for a token of which a question may still be under way,
// and reach the store after the one that takes it back.
func (m *Mutex) takeBackAgain(token string) {
	r := m.newReclaim(token)
	r.again = straggles
	go r.attempt()
}

func (m *Mutex) newReclaim(token string) *reclaim {
	m.group.begin()
	return &reclaim{
		Mutex:  m,
		token:  token,
		until:  time.Now().Add(m.ttl),
		pauses: backoff{next: m.minBackoff, max: max(m.maxBackoff, m.ttl/10)},
	}
}

func (r *reclaim) attempt() {
	request, cancel := backend.Bounded(context.Background(), r.requestTimeout())
	defer cancel()
	err := r.endToken(request, r.token, r.keep)
	if err == nil || errors.Is(err, backend.ErrNotOwner) {
		if len(r.again) == 0 {
			r.end()
			return
		}
		pause := r.again[0]
		r.again = r.again[1:]
		time.AfterFunc(pause, r.attempt)
		return
	}
	if !r.counted {
		r.counted = true
		if r.reclaims.Add(1) > maxReclaims {
			r.end()
			return
		}
	}
	pause := r.pauses.pause()
	if time.Until(r.until) < pause {
		r.log().Warn("dislock: the key may stay behind until its ttl ends", "key", r.key, "err", err)
		r.end()
		return
	}
	time.AfterFunc(pause, r.attempt)
}

func (r *reclaim) end() {
	r.group.finish()
	if r.counted {
		r.reclaims.Add(-1)
	}
}
