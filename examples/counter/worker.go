package main

import (
	"context"
	"errors"
	"log/slog"
	"math/rand/v2"
	"time"

	"github.com/dislock/dislock"
	"github.com/dislock/dislock/backend"
)

// A worker adds 1 to the number, again and again.
type worker struct {
	id     int
	count  int           // how often it is to add 1
	added  int           // how often it has done so
	pause  time.Duration // between reading and writing
	number number
	mu     *dislock.Mutex
	tell   func(event)
}

// newMutex makes the Mutex of one worker. All of them are the same lock, because
// they have the same key on the same store.
func newMutex(store backend.Backend, key, owner string, ttl time.Duration) *dislock.Mutex {
	return dislock.New(store, key,
		dislock.WithTTL(ttl),
		dislock.WithOwner(owner),
		dislock.WithLogger(quiet))
}

// quiet says nothing: a program that draws on the terminal has no place for a log.
// It loses nothing, because whatever matters to it comes back as an error.
var quiet = slog.New(slog.DiscardHandler)

// addWithLock adds 1 to the number while holding the lock.
//
// The lease is looked at once more before the write: a process that was suspended
// for longer than the ttl no longer has the lock and must not write. What remains
// is the moment between the look and the write. Where that matters too, hand
// lease.Fence() to the store and let it refuse a fence below the largest it saw.
func (w *worker) addWithLock(ctx context.Context) (err error) {
	lease, err := w.mu.LockContext(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, lease.Unlock(ctx)) }()

	n, err := w.read(ctx, lease.Fence())
	if err != nil {
		return err
	}
	select {
	case <-time.After(w.pause):
	case <-lease.Done(): // lost: there is nothing to wait for
	case <-ctx.Done():
		return ctx.Err()
	}
	if err := lease.Err(); err != nil {
		return err
	}
	return w.write(ctx, n+1)
}

// addWithoutLock is addWithLock less the lines about the lock.
func (w *worker) addWithoutLock(ctx context.Context) error {
	n, err := w.read(ctx, 0)
	if err != nil {
		return err
	}
	select {
	case <-time.After(w.pause):
	case <-ctx.Done():
		return ctx.Err()
	}
	return w.write(ctx, n+1)
}

func (w *worker) read(ctx context.Context, fence uint64) (int, error) {
	w.tell(event{What: entered, Worker: w.id, At: time.Now(), Fence: fence})
	return w.number.read(ctx)
}

func (w *worker) write(ctx context.Context, n int) error {
	if err := w.number.write(ctx, n, w.id, w.added+1); err != nil {
		return err
	}
	w.added++
	w.tell(event{What: left, Worker: w.id, At: time.Now()})
	return nil
}

// run adds 1 until it has been done count times or ctx ends. Losing the lock is
// no reason to give up: either the number was written or it was not, and added
// knows. Neither is a release that the store did not confirm: it is repeated in
// the background, and the ttl would end the lease in any case.
func (w *worker) run(ctx context.Context, locked bool) error {
	add := w.addWithoutLock
	if locked {
		add = w.addWithLock
	}
	for w.added < w.count {
		err := add(ctx)
		switch {
		case err == nil:
		case ctx.Err() != nil:
			return ctx.Err()
		case errors.Is(err, dislock.ErrLost), errors.Is(err, dislock.ErrUnavailable):
			w.tell(event{What: troubled, Worker: w.id, At: time.Now(), Text: oneLine(err)})
		default:
			return err
		}
		w.rest(ctx)
	}
	return nil
}

// rest stands for whatever else a worker has to do. The lock is not fair: without
// any rest, who has just unlocked it is the first to ask again.
func (w *worker) rest(ctx context.Context) {
	select {
	case <-time.After(rand.N(10 * w.pause)):
	case <-ctx.Done():
	}
}
