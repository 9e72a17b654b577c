package backend

import (
	"context"
	"time"
)

// Bounded returns a ctx that ends after d, and until cancel is called for no
// other reason. It keeps the values of parent and not its end.
//
// The mutex makes its requests with such a ctx where nobody can cancel them. It
// spares a backend on a client library that knows deadlines and no cancellation,
// as most do, a goroutine per call: see [EndsAtDeadline].
func Bounded(parent context.Context, d time.Duration) (ctx context.Context, cancel context.CancelFunc) {
	inner, cancel := context.WithTimeout(context.WithoutCancel(parent), d)
	return bounded{inner}, cancel
}

// EndsAtDeadline reports that ctx comes from [Bounded] and has not been given
// another end since: to honour its deadline is enough to honour it (B10).
func EndsAtDeadline(ctx context.Context) bool {
	done, ok := ctx.Value(boundedKey{}).(<-chan struct{})
	return ok && done == ctx.Done()
}

type boundedKey struct{}

// bounded answers for boundedKey with its own Done channel. A ctx that was derived
// from it and can end otherwise has another channel, and is told apart by that.
type bounded struct{ context.Context }

func (b bounded) Value(key any) any {
	if key == (boundedKey{}) {
		return b.Context.Done()
	}
	return b.Context.Value(key)
}
