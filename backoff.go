package dislock

import (
	"context"
	"math/rand/v2"
	"time"
)

// A backoff is a row of growing pauses. Each is drawn at random from the upper
// half of its bound, so that those who failed together do not come back together.
type backoff struct {
	next, max time.Duration
}

func (b *backoff) pause() time.Duration {
	d := b.next
	b.next += min(b.next, b.max-b.next) // doubled up to max, which may be the largest there is
	return earlier(d, d/2)
}

// patience returns times times d, shortened at random by a quarter, and at most
// maxPatience.
func patience(d, times time.Duration) time.Duration {
	if d > maxPatience/times {
		d = maxPatience / times
	}
	return earlier(d*times, d*times/4)
}

// earlier returns d less a random part, which is at most by.
func earlier(d, by time.Duration) time.Duration {
	return d - rand.N(by+1)
}

// sleep returns after d, or earlier with ctx's error when ctx ends.
func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}
