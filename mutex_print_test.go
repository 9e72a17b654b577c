package dislock_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/dislock/dislock"
	"github.com/dislock/dislock/backend/memory"
)

// Whoever prints a Mutex does not look into one that others use.
func TestPrintedMutex(t *testing.T) {
	mu := dislock.New(memory.New(), "a\n", dislock.WithTTL(time.Minute))
	done := make(chan struct{})
	go func() {
		defer close(done)
		for range 100 {
			mu.Lock()
			mu.Unlock() //lint:ignore SA2001 somebody uses it
		}
	}()
	for range 100 {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s"} {
			if got := fmt.Sprintf(verb, mu); got != `mutex on "a\n"` {
				t.Fatalf("printed by %s: %q", verb, got)
			}
		}
	}
	<-done
}
