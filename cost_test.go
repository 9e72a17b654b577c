package dislock_test

import (
	"context"
	"fmt"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/dislock/dislock"
	"github.com/dislock/dislock/backend/memory"
)

// nowhere grants everything and remembers nothing, so that what is measured is
// the Mutex.
type nowhere struct{}

func (nowhere) SetNX(context.Context, string, string, time.Duration) (uint64, error) { return 1, nil }
func (nowhere) ExpireIfOwner(context.Context, string, string, time.Duration) error   { return nil }
func (nowhere) DeleteIfOwner(context.Context, string, string) error                  { return nil }

// A held lock costs timers and no goroutine, and under 1 KiB, the Mutex and its
// key included.
func TestCostOfHeldLocks(t *testing.T) {
	const n = 10_000
	mutexes := make([]*dislock.Mutex, n)
	dislock.New(nowhere{}, key) // what is made once for all

	goroutines, before := runtime.NumGoroutine(), heap()
	for i := range mutexes {
		mutexes[i] = dislock.New(nowhere{}, fmt.Sprintf("key-%d", i))
		mutexes[i].Lock()
	}
	bytes := (heap() - before) / n
	if got := runtime.NumGoroutine(); got > goroutines {
		t.Errorf("%d goroutines with %d held locks, %d before", got, n, goroutines)
	}
	if bytes >= 1024 {
		t.Errorf("a held lock costs %d bytes, want less than 1 KiB", bytes)
	}
	t.Logf("a held lock costs %d bytes", bytes)
	for _, mu := range mutexes {
		mu.Unlock()
	}
}

func heap() int64 {
	var stats runtime.MemStats
	runtime.GC()
	runtime.GC()
	runtime.ReadMemStats(&stats)
	return int64(stats.HeapAlloc)
}

func BenchmarkLockUnlock(b *testing.B) {
	for name, store := range map[string]interface {
		SetNX(context.Context, string, string, time.Duration) (uint64, error)
		ExpireIfOwner(context.Context, string, string, time.Duration) error
		DeleteIfOwner(context.Context, string, string) error
	}{"nowhere": nowhere{}, "memory": memory.New()} {
		b.Run(name, func(b *testing.B) {
			mu := dislock.New(store, key)
			b.ReportAllocs()
			for b.Loop() {
				if !mu.TryLock() {
					b.Fatal("TryLock of a free key failed")
				}
				mu.Unlock()
			}
		})
	}
}

// BenchmarkCrowd is 64 goroutines that share a Mutex and lock it in a loop.
func BenchmarkCrowd(b *testing.B) {
	mu := dislock.New(memory.New(), key)
	b.ReportAllocs()
	const n = 64
	var crowd sync.WaitGroup
	for range n {
		crowd.Go(func() {
			for range b.N/n + 1 {
				mu.Lock()
				mu.Unlock() //lint:ignore SA2001 it is the hand-over that is measured
			}
		})
	}
	crowd.Wait()
}
