package dislock

import (
	"context"
	"testing"

	"github.com/dislock/dislock/backend/memory"
)

func TestNoTimerIsLeftAfterDetach(t *testing.T) {
	m := New(memory.New(), "k")
	lease, err := m.LockContext(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	if err := lease.Detach(context.Background()); err != nil {
		t.Fatal(err)
	}
	if lease.renewal.timer.Stop() {
		t.Error("the timer of a detached lease is still running")
	}
}
