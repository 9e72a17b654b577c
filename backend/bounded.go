package backend

import (
	"context"
	"sync"
	"time"
)

// Bounded returns a ctx that ends after d, and until cancel is called for no
// other reason. It keeps the values of parent and not its end.
//
// The mutex makes its requests with such a ctx where nobody can cancel them. It
// spares a backend on a client library that knows deadlines and no cancellation,
// as most do, a goroutine per call: see [EndsAtDeadline]. As long as nobody asks
// for its Done it has no timer either.
func Bounded(parent context.Context, d time.Duration) (ctx context.Context, cancel context.CancelFunc) {
	b := &bounded{values: parent, at: time.Now().Add(d)}
	return b, b.cancel
}

// EndsAtDeadline reports that ctx comes from [Bounded] and has not been given
// another end since: to honour its deadline is enough to honour it (B10).
func EndsAtDeadline(ctx context.Context) bool {
	b, ok := ctx.Value(boundedKey{}).(*bounded)
	return ok && (ctx == context.Context(b) || ctx.Done() == b.Done())
}

type boundedKey struct{}

// bounded answers for boundedKey with itself. A ctx that was derived from it and
// can end otherwise has another Done, and is told apart by that.
type bounded struct {
	values context.Context
	at     time.Time

	mu    sync.Mutex
	err   error         // once it has ended
	done  chan struct{} // made when somebody asks for it
	timer *time.Timer   // ends it at its time; only with done
}

func (b *bounded) Deadline() (time.Time, bool) { return b.at, true }

func (b *bounded) Done() <-chan struct{} {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.done == nil {
		b.done = make(chan struct{})
		if b.err != nil {
			close(b.done)
		} else {
			b.timer = time.AfterFunc(time.Until(b.at), func() { b.end(context.DeadlineExceeded) })
		}
	}
	return b.done
}

// Err looks at the clock, since there may be no timer.
func (b *bounded) Err() error {
	b.mu.Lock()
	err := b.err
	b.mu.Unlock()
	if err == nil && !time.Now().Before(b.at) {
		return b.end(context.DeadlineExceeded)
	}
	return err
}

func (b *bounded) Value(key any) any {
	if key == (boundedKey{}) {
		return b
	}
	return b.values.Value(key)
}

func (b *bounded) cancel() { b.end(context.Canceled) }

// end ends b with err, unless it has ended, and returns how it has.
func (b *bounded) end(err error) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.err != nil {
		return b.err
	}
	b.err = err
	if b.done != nil {
		b.timer.Stop()
		close(b.done)
	}
	return err
}
