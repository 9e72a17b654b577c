package dislock_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/dislock/dislock"
	"github.com/dislock/dislock/backend"
	"github.com/dislock/dislock/backend/memory"
)

// The store that all processes share. In a service this is goredis.New(client) or
// redigo.New(pool); everything else stays the same.
var store backend.Backend = memory.New()

func Example() {
	ctx := context.Background()
	mu := dislock.New(store, "invoices:2026-11", dislock.WithTTL(10*time.Second))

	lease, err := mu.LockContext(ctx)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer lease.Unlock(ctx)

	fmt.Println("only one process prints this at a time")
	// Output: only one process prints this at a time
}

// A Mutex is a sync.Locker and takes the place of a sync.Mutex.
func ExampleMutex() {
	balance := 0
	var mu sync.Locker = dislock.New(store, "balance")

	var all sync.WaitGroup
	for range 10 {
		all.Go(func() {
			mu.Lock()
			defer mu.Unlock()
			balance += 10
		})
	}
	all.Wait()
	fmt.Println(balance)
	// Output: 100
}

// Do is the shortest way to do it right: it releases also after a panic, and
// cancels the function's ctx when the lock is lost.
func ExampleMutex_Do() {
	mu := dislock.New(store, "migrations")
	err := mu.Do(context.Background(), func(ctx context.Context) error {
		fmt.Println("migrating")
		return ctx.Err()
	})
	fmt.Println(err)
	// Output:
	// migrating
	// <nil>
}

// Whoever does not want to wait asks once.
func ExampleMutex_TryLockContext() {
	ctx := context.Background()
	elsewhere := dislock.New(store, "nightly-report", dislock.WithOwner("web-2"))
	elsewhere.Lock()
	defer elsewhere.Unlock()

	mu := dislock.New(store, "nightly-report", dislock.WithOwner("web-1"))
	_, err := mu.TryLockContext(ctx)

	var held *dislock.HeldError
	switch {
	case errors.As(err, &held):
		fmt.Printf("%s makes the report tonight\n", held.Owner)
	case errors.Is(err, dislock.ErrUnavailable):
		fmt.Println("the store is down:", err)
	}
	// Output: web-2 makes the report tonight
}

// A wait that ended says both that time was up and what it waited for.
func ExampleMutex_LockContext() {
	elsewhere := dislock.New(store, "jobs", dislock.WithOwner("web-2"))
	elsewhere.Lock()
	defer elsewhere.Unlock()

	ctx, cancel := context.WithTimeout(context.Background(), 250*time.Millisecond)
	defer cancel()
	mu := dislock.New(store, "jobs")
	_, err := mu.LockContext(ctx)

	fmt.Println(errors.Is(err, context.DeadlineExceeded), errors.Is(err, dislock.ErrHeld))
	// Output: true true
}

// A resource that remembers the largest fence it has seen is safe even from a
// holder that does not know yet that it lost the lock.
func ExampleLease_Fence() {
	ctx := context.Background()
	var seen uint64
	write := func(fence uint64, value string) {
		if fence < seen {
			fmt.Println("refused:", value)
			return
		}
		seen = fence
		fmt.Println("written:", value)
	}

	locks := memory.New()
	paused, _ := dislock.New(locks, "file").LockContext(ctx)
	locks.Evict("file") // as if the ttl had passed while the process was paused
	next, _ := dislock.New(locks, "file").LockContext(ctx)

	write(next.Fence(), "by the next owner")
	write(paused.Fence(), "by the one who was paused")
	// Output:
	// written: by the next owner
	// refused: by the one who was paused
}

// Work that can be stopped watches Done.
func ExampleLease_Done() {
	ctx := context.Background()
	locks := memory.New()
	mu := dislock.New(locks, "stream", dislock.WithTTL(150*time.Millisecond))
	lease, _ := mu.LockContext(ctx)
	defer lease.Unlock(ctx)

	locks.Evict("stream") // an admin deletes the key
	select {
	case <-lease.Done():
		fmt.Println("lost:", errors.Is(lease.Err(), dislock.ErrLost))
	case <-time.After(time.Minute):
		fmt.Println("worked for a minute")
	}
	// Output: lost: true
}

func ExampleWithHooks() {
	mu := dislock.New(memory.New(), "metrics", dislock.WithHooks(dislock.Hooks{
		Acquired: func(i dislock.AcquiredInfo) { fmt.Printf("acquired %s, asked %d time(s)\n", i.Key, i.Attempts) },
		Released: func(i dislock.ReleasedInfo) { fmt.Printf("released %s\n", i.Key) },
		Lost:     func(i dislock.LostInfo) { fmt.Printf("lost %s: %v\n", i.Key, i.Err) },
	}))
	mu.Lock()
	fmt.Println("working")
	mu.Unlock()
	// Output:
	// acquired metrics, asked 1 time(s)
	// working
	// released metrics
}
