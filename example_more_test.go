package dislock_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/dislock/dislock"
	"github.com/dislock/dislock/backend/memory"
)

// A transfer needs both accounts. Another one, the other way round, does not wait for
// this one while this one waits for it.
func ExampleLockAll() {
	ctx := context.Background()
	locks := memory.New()
	mine, yours := dislock.New(locks, "account:1"), dislock.New(locks, "account:2")

	both, err := dislock.LockAll(ctx, yours, mine)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer both.Unlock(ctx)

	fmt.Println("transferring, with fences", both.Of(mine).Fence(), "and", both.Of(yours).Fence())
	// Output: transferring, with fences 1 and 2
}

// The waiting is bounded and the work is not. Mutex.Do has one ctx for both.
func ExampleLease_Do() {
	ctx := context.Background()
	mu := dislock.New(memory.New(), "migration")

	waiting, cancel := context.WithTimeout(ctx, 5*time.Second)
	lease, err := mu.LockContext(waiting)
	cancel()
	if err != nil {
		fmt.Println(err)
		return
	}
	err = lease.Do(ctx, func(ctx context.Context) error { // ctx ends if the lock is lost
		fmt.Println("working for as long as it takes")
		return nil
	})
	fmt.Println(err, errors.Is(lease.Err(), dislock.ErrNotHeld))
	// Output:
	// working for as long as it takes
	// <nil> true
}

// One process takes the lock and queues the work, another does the work and releases
// the lock. In between nobody else has it.
func ExampleLease_Detach() {
	ctx := context.Background()
	type job struct {
		token string // a secret
		fence uint64
	}
	queue := make(chan job, 1)

	accept := dislock.New(store, "order:7")
	lease, err := accept.LockContext(ctx)
	if err != nil {
		fmt.Println(err)
		return
	}
	if err := lease.Detach(ctx); err != nil {
		fmt.Println(err)
		return
	}
	queue <- job{lease.Token(), lease.Fence()}

	// In the other process:
	work := dislock.New(store, "order:7")
	j := <-queue
	adopted, err := work.Adopt(ctx, j.token, j.fence)
	if err != nil {
		fmt.Println(err) // ErrLost if the job was in the queue for longer than the ttl
		return
	}
	fmt.Println("working")
	fmt.Println(adopted.Unlock(ctx))
	// Output:
	// working
	// <nil>
}

// Every machine starts the report at midnight by its own clock. The one whose clock is
// a little late does not make it again.
func ExampleWithMinHold() {
	ctx := context.Background()
	report := func() {
		mu := dislock.New(store, "midnight-report", dislock.WithMinHold(time.Minute))
		lease, err := mu.TryLockContext(ctx)
		if err != nil {
			fmt.Println("done already:", errors.Is(err, dislock.ErrHeld))
			return
		}
		defer lease.Unlock(ctx)
		fmt.Println("making the report")
	}
	report()
	report()
	// Output:
	// making the report
	// done already: true
}

// A process that is told to stop leaves nothing to the ttl.
func ExampleGroup_Close() {
	ctx := context.Background()
	group := dislock.NewGroup()
	mu := dislock.New(store, "leader", dislock.WithGroup(group))
	lease, _ := mu.LockContext(ctx)

	stop, cancel := context.WithTimeout(ctx, 5*time.Second) // on SIGTERM
	defer cancel()
	fmt.Println(group.Close(stop))

	fmt.Println(errors.Is(lease.Err(), dislock.ErrClosed))
	next := dislock.New(store, "leader") // another process need not wait for a ttl
	fmt.Println(next.TryLock())
	next.Unlock()
	// Output:
	// <nil>
	// true
	// true
}
