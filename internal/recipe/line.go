package recipe

import (
	"context"
	"errors"
	"strconv"
	"time"

	"github.com/dislock/dislock/backend"
)

// Join implements [backend.Line]. Until somebody has had to wait through this
// backend, it asks as SetNX does, which takes a free key even if others are in
// line for it. If that is refused the backend begins to listen, and tells the
// waiter to ask again when it hears.
func (r *Recipe) Join(ctx context.Context, key, token string, ttl, claim time.Duration, told chan<- backend.Grant) (uint64, error) {
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	ms, err := milliseconds(ttl)
	if err != nil {
		return 0, err
	}
	claimed, err := milliseconds(claim)
	if err != nil {
		return 0, err
	}
	stands, before, ok := r.listener.enter(key, token, claimed, told)
	if !ok {
		fence, err := r.SetNX(ctx, key, token, ttl)
		switch {
		case err == nil:
			r.listener.forget(token) // if it was refused before
		case errors.Is(err, backend.ErrHeld):
			r.listener.listen(token, told)
		}
		return fence, err
	}
	lock, fenceKey := keys(r.prefix, key)
	args := []any{evalsha, join.hash, 3, lock, fenceKey, lineKey(lock),
		token, r.channel, r.counts, ms, stands}
	if before != "" {
		args = append(args, before)
	}
	sent := time.Now()
	var fence uint64
	var now int64
	reply, err := r.run(ctx, join, token, args)
	if err == nil {
		fence, now, err = decodeJoin(reply)
	}
	switch {
	case err == nil:
		r.listener.forget(token)
	case errors.Is(err, backend.ErrHeld):
		r.listener.refused(token, sent, now)
		if polls(stands) {
			held := err.(*backend.HeldError)
			held.Place, held.New = 0, false
		}
	default:
		r.listener.unanswered(token)
	}
	return fence, err
}

// KeepsLine implements [backend.Line].
func (r *Recipe) KeepsLine() bool { return r.driver.Publishes() }

// polls reports whether it is somebody who can not be told who stands like this.
func polls(stands string) bool { return stands[0] == ':' }

// standing is how a token stands in line, with its claim in milliseconds.
func standing(id string, claim int64, token string) string {
	return id + ":" + strconv.FormatInt(claim, 10) + ":" + token
}
