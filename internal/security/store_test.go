package security

import (
	"errors"
	"testing"
	"time"

	"github.com/dislock/dislock"
	"github.com/dislock/dislock/backend"
	"github.com/dislock/dislock/backend/faulty"
	"github.com/dislock/dislock/backend/memory"
)

// TestPrintedStore is about the memory of a test, whose log many people can read.
func TestPrintedStore(t *testing.T) {
	t.Parallel()
	store, e := memory.New(), new(evidence)
	lease, err := dislock.New(store, "k").LockContext(bounded(t))
	if err != nil {
		t.Fatal(err)
	}
	waiter := backend.NewToken("waiter")
	_, err = store.Join(bounded(t), "k", waiter, time.Minute, time.Second, make(chan backend.Grant, 1))
	if !errors.Is(err, backend.ErrHeld) {
		t.Errorf("Join: %v, want ErrHeld", err)
	}
	e.print(store)
	e.print(faulty.New(store))
	e.clean(t, []string{lease.Token(), waiter})
	if err := lease.Unlock(bounded(t)); err != nil {
		t.Error(err)
	}
}
