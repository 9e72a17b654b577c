package redigo_test

import (
	"context"
	"testing"
	"time"

	"github.com/dislock/dislock"
	"github.com/dislock/dislock/backend"
	"github.com/dislock/dislock/backend/redigo"
	"github.com/dislock/dislock/internal/recipe/recipetest"
	"github.com/dislock/dislock/internal/redistest"
)

// TestListeningLeavesTheLastConnection holds that a pool that has no connection to
// spare for listening goes on to lock and unlock: its waiters poll.
func TestListeningLeavesTheLastConnection(t *testing.T) {
	for name, waits := range map[string]bool{"Wait": true, "no Wait": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := redistest.Start(t)
			pool := newPool(t, recipetest.Login{Addr: server.Addr()})
			pool.MaxActive, pool.Wait = 1, waits
			b := closed(t, redigo.New(pool))

			ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
			defer cancel()
			other := closed(t, redigo.New(newPool(t, recipetest.Login{Addr: server.Addr()})))
			token := backend.NewToken("holder")
			if _, err := other.SetNX(ctx, "k", token, time.Minute); err != nil {
				t.Fatal(err)
			}
			served := make(chan error, 1)
			go func() { served <- dislock.New(b, "k").Do(ctx, func(context.Context) error { return nil }) }()
			time.Sleep(100 * time.Millisecond)

			// Somebody else goes about its work through the same pool.
			mu := dislock.New(b, "another")
			worst := time.Duration(0)
			for end := time.Now().Add(3 * time.Second); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
				sent := time.Now()
				if err := mu.Do(ctx, func(context.Context) error { return nil }); err != nil && waits {
					t.Error(err)
				}
				worst = max(worst, time.Since(sent))
			}
			if worst > time.Second {
				t.Errorf("a lock for which nobody waits took %v", worst)
			}
			if err := other.DeleteIfOwner(ctx, "k", token); err != nil {
				t.Fatal(err)
			}
			if err := <-served; err != nil {
				t.Error(err)
			}
		})
	}
}
