package redigo

import (
	"cmp"
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"time"

	"github.com/gomodule/redigo/redis"

	"github.com/dislock/dislock/backend"
)

// driver is a [recipe.Replicator] that takes a connection for each command.
//
// It does not use DoContext, which starts a goroutine for each command: waking
// it and being woken by it costs half a round trip on a small machine. Do, which
// ignores ctx, runs where it is called, and the end of ctx cuts its connection.
type driver struct {
	pool     Pool
	cuttable atomic.Bool // a connection of this pool can be cut, see [cut]
}

func (d *driver) Do(ctx context.Context, args []any) (reply any, err error) {
	return d.send(ctx, args, nil)
}

// send sends args, and returns the reply; or, if there is a second command wait, sends
// both at once and returns both replies, see [both].
func (d *driver) send(ctx context.Context, args, wait []any) (reply any, err error) {
	conn, err := d.pool.GetContext(ctx)
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	// A Dial or TestOnBorrow that ignores ctx may have outlasted it.
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if !d.cuttable.Load() {
		// With nothing to send, this asks only whether conn knows contexts.
		_, err := redis.DoContext(conn, ctx, "")
		d.cuttable.Store(err == nil)
	}

	cutOff := make(chan struct{})
	stop := atEnd(ctx, func() {
		cut(conn)
		close(cutOff)
	})
	if err = ctx.Err(); err == nil { // or it would be sent for a caller who has left
		if wait == nil {
			reply, err = conn.Do(args[0].(string), args[1:]...)
		} else {
			reply, err = both(conn, args, wait)
		}
	}
	if !stop() {
		<-cutOff // or Close would run beside it
		if err != nil {
			err = cmp.Or(ctx.Err(), context.DeadlineExceeded)
		}
	}
	return reply, err
}

// Prompt holds if nothing in Do ignores ctx. A pool's Dial and TestOnBorrow do,
// and so may the handshake within DialContext, that of TLS above all; hence the
// idle connection, from a pool that does not throw it away for its age and dials
// another. Should another goroutine take that one first, DialContext is relied on
// after all.
func (d *driver) Prompt(context.Context) bool {
	p, ok := d.pool.(*redis.Pool)
	return ok && d.cuttable.Load() && p.DialContext != nil &&
		p.TestOnBorrow == nil && p.TestOnBorrowContext == nil &&
		p.IdleTimeout == 0 && p.MaxConnLifetime == 0 && p.IdleCount() > 0
}

func (d *driver) NoScript(err error) bool {
	var answer redis.Error
	return errors.As(err, &answer) && strings.HasPrefix(string(answer), "NOSCRIPT ")
}

// TryAgain: a pool has no cluster.
func (d *driver) TryAgain(error) bool { return false }

// atEnd calls f in a goroutine of its own when ctx ends, unless stop is called
// before. It is context.AfterFunc; a ctx with no other end than its deadline takes
// only a timer, which costs a fraction of that.
func atEnd(ctx context.Context, f func()) (stop func() bool) {
	if at, ok := ctx.Deadline(); ok && backend.EndsAtDeadline(ctx) {
		return time.AfterFunc(time.Until(at), f).Stop
	}
	return context.AfterFunc(ctx, f)
}

// cut makes a Do that waits on conn in another goroutine return, by closing the
// socket. Conn.Close would not: it hands the connection back to the pool. But a
// receive whose deadline is past closes the socket before it does anything else.
func cut(conn redis.Conn) {
	_, _ = redis.ReceiveContext(conn, past{context.Background()})
}

// past is a context whose deadline has gone by.
type past struct{ context.Context }

func (past) Deadline() (time.Time, bool) { return time.Unix(0, 0), true }
