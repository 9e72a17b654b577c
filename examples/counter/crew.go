package main

import (
	"context"
	"sync"
	"time"

	"github.com/dislock/dislock/backend/memory"
)

// A crew runs all workers of one phase and returns when the last has ended, which
// is soon after the end of ctx. What happens meanwhile it sends to events.
type crew func(ctx context.Context, locked bool, events chan<- event)

// goroutines is a crew in this process. Each worker has a Mutex of its own, as if
// it were a process of its own; they have only the store in common.
func goroutines(s settings, n number) crew {
	store := memory.New()
	return func(ctx context.Context, locked bool, events chan<- event) {
		var wg sync.WaitGroup
		for id := 1; id <= s.Workers; id++ {
			w := &worker{
				id:     id,
				count:  s.Count,
				pause:  s.Pause,
				number: n,
				mu:     newMutex(store, "counter", label(id), s.TTL),
				tell:   func(e event) { events <- e },
			}
			wg.Go(func() {
				if err := w.run(ctx, locked); err != nil && ctx.Err() == nil {
					w.tell(event{What: failed, Worker: w.id, At: time.Now(), Text: oneLine(err)})
				}
			})
		}
		wg.Wait()
	}
}
