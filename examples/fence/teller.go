package main

import (
	"context"
	"errors"
	"time"

	"github.com/dislock/dislock"
)

// A teller deposits money, in a process of its own.
type teller struct {
	job
	mu      *dislock.Mutex
	account *account
	tell    func(event)
	pause   func(context.Context) error // see process.goOn
}

// run makes all deposits. A deposit that was refused, or whose lease was lost
// before it, has changed nothing and is made again, from the reading on. After any
// other error of a write nobody knows, so that it must not be repeated.
func (t *teller) run(ctx context.Context) error {
	for done := 0; done < t.Times; {
		switch err := t.deposit(ctx); {
		case err == nil:
			done++
		case !errors.Is(err, errStale) && !errors.Is(err, dislock.ErrLost):
			return err
		}
	}
	return nil
}

// deposit makes one deposit under the lock.
func (t *teller) deposit(ctx context.Context) error {
	lease, err := t.mu.LockContext(ctx)
	if err != nil {
		return err
	}
	defer t.unlock(ctx, lease)

	fence := lease.Fence()
	balance, err := t.account.read(ctx, fence)
	if err != nil {
		return err
	}

	// Looking saves work that would be refused. It proves nothing about the moment
	// of the write, and neither would a ctx that ends with the lease.
	if err := lease.Err(); err != nil {
		return err
	}
	t.tell(event{What: looked, At: time.Now(), Fence: fence, Balance: balance})
	if err := t.pause(ctx); err != nil {
		return err
	}

	balance += t.Amount
	err = t.account.write(ctx, balance, fence)
	switch {
	case err == nil:
		t.tell(event{What: wrote, At: time.Now(), Fence: fence, Balance: balance})
	case errors.Is(err, errStale):
		t.tell(event{What: refused, At: time.Now(), Fence: fence, Balance: balance, Text: err.Error()})
	}
	return err
}

// unlock unlocks. If the lease has ended before, that says nothing about the
// deposit: it was made or it was refused, and deposit knows.
func (t *teller) unlock(ctx context.Context, lease *dislock.Lease) {
	if err := lease.Unlock(ctx); errors.Is(err, dislock.ErrLost) {
		t.tell(event{What: lost, At: time.Now(), Fence: lease.Fence()})
	}
}
