package main

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/dislock/dislock"
	"github.com/dislock/dislock/backend"
	"github.com/dislock/dislock/internal/history"
)

// A witness stands between the Mutex and the store, and notes until when an answer
// lets the lease be trusted at the very latest: the ttl, counted from when the
// question was put. It knows nothing of margins, and has no part in the decision.
type witness struct {
	backend.Line
	worker *worker
	key    string

	mu    sync.Mutex
	token string // that asks at the moment, or has the lock
	fence uint64 // of its lease; 0 if it has none yet
	last  uint64 // of the lease before that
}

func (w *witness) Join(ctx context.Context, key, token string, ttl, claim time.Duration, told chan<- backend.Grant) (uint64, error) {
	w.mu.Lock()
	if w.token != token {
		w.token, w.fence = token, 0
	}
	w.mu.Unlock()
	sent := history.Now()
	fence, err := w.Line.Join(ctx, key, token, ttl, claim, told)
	if err == nil {
		w.trust(token, fence, sent+int64(ttl))
	}
	return fence, err
}

func (w *witness) ExpireIfOwner(ctx context.Context, key, token string, ttl time.Duration) error {
	sent := history.Now()
	err := w.Line.ExpireIfOwner(ctx, key, token, ttl)
	if err == nil {
		w.trust(token, 0, sent+int64(ttl))
	}
	return err
}

// trust notes that the store keeps the lease of token, with this fence or the one that it
// has had, until then.
func (w *witness) trust(token string, fence uint64, until int64) {
	w.mu.Lock()
	defer w.mu.Unlock() // across the note, so that it is made before anybody relies on it
	if token != w.token {
		return // of an acquisition that has ended
	}
	if fence != 0 && fence != w.fence { // a token can have several leases, one after the other
		if fence <= w.last { // in other processes the history shows it
			panic(fmt.Sprintf("%s: fence %d after %d", w.key, fence, w.last))
		}
		w.fence, w.last = fence, fence
	}
	if w.fence == 0 {
		return // a grant that is being confirmed: acquired is to come
	}
	w.worker.note(history.Record{What: history.Trust, Key: w.key, Fence: w.fence, Until: until})
}

// acquired is the hook. A grant came by another way than the answer to a question, and
// is for the claim; the Mutex knows when it began, and here it is counted from now.
func (w *witness) acquired(info dislock.AcquiredInfo) {
	w.mu.Lock()
	known := w.fence == info.Fence
	token := w.token
	w.mu.Unlock()
	if !known {
		w.trust(token, info.Fence, history.Now()+int64(w.worker.Claim))
	}
}
