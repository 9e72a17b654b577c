package dislock

import (
	"context"
	"errors"
	"testing"

	"github.com/dislock/dislock/backend/memory"
)

// The lease may end between the grant and the moment at which Do asks to be told.
func TestOnEndOfALeaseThatHasEnded(t *testing.T) {
	m := New(memory.New(), "k")
	lease, err := m.LockContext(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	m.Unlock()
	var told error
	lease.onEnd(func(err error) { told = err })
	if !errors.Is(told, ErrNotHeld) {
		t.Errorf("told %v, want ErrNotHeld at once", told)
	}
}
