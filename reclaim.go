package dislock

import (
	"context"
	"errors"
	"time"

	"github.com/dislock/dislock/backend"
)

// A reclaim takes back a token that may own the key though nobody holds it: after
// a request with an unknown outcome that nobody will repeat. It asks in the
// background until the store has answered, and no longer than a ttl, when the
// lease has ended by itself. Between two attempts there is a timer, no goroutine.
type reclaim struct {
	*Mutex
	token  string
	until  time.Time
	pauses backoff
}

func (m *Mutex) reclaim(token string) {
	r := &reclaim{
		Mutex:  m,
		token:  token,
		until:  time.Now().Add(m.ttl),
		pauses: backoff{next: m.minBackoff, max: max(m.maxBackoff, m.ttl/10)},
	}
	go r.attempt()
}

func (r *reclaim) attempt() {
	request, cancel := backend.Bounded(context.Background(), r.requestTimeout())
	defer cancel()
	err := r.deleteToken(request, r.token)
	if err == nil || errors.Is(err, backend.ErrNotOwner) {
		return
	}
	pause := r.pauses.pause()
	if time.Until(r.until) < pause {
		r.log().Warn("dislock: the key may stay behind until its ttl ends", "key", r.key, "err", err)
		return
	}
	time.AfterFunc(pause, r.attempt)
}

// deleteToken asks the store once to end the lease of token, with a ctx that lasts
// as long as one request may.
func (m *Mutex) deleteToken(request context.Context, token string) error {
	err := m.backend.DeleteIfOwner(request, m.key, token)
	if err == nil || errors.Is(err, backend.ErrNotOwner) {
		return err
	}
	return unavailable(noAnswer(request, err, m.requestTimeout()))
}
