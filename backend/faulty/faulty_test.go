package faulty_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/dislock/dislock/backend"
	"github.com/dislock/dislock/backend/faulty"
	"github.com/dislock/dislock/backend/memory"
	"github.com/dislock/dislock/conformance"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// Without faults, a faulty backend is the backend that it wraps.
func TestConformance(t *testing.T) {
	conformance.Run(t, conformance.Harness{
		Open: func(testing.TB) conformance.Store {
			store := memory.New()
			return conformance.Store{
				Connect: func(testing.TB) backend.Backend { return faulty.New(store) },
				Wipe:    func(testing.TB) { store.Flush() },
			}
		},
		InProcess: true,
		Line:      true,
		Synctest:  true,
	})
}

func TestFaults(t *testing.T) {
	gone := errors.New("gone fishing")
	for _, tt := range []struct {
		name     string
		fault    faulty.Fault
		wantErr  error
		happened bool
		took     time.Duration // with a ctx of 5 s
	}{
		{"none", nil, nil, true, 0},
		{"LoseRequest", faulty.LoseRequest, faulty.ErrConnection, false, 0},
		{"LoseReply", faulty.LoseReply, faulty.ErrConnection, true, 0},
		{"Freeze", faulty.Freeze, context.DeadlineExceeded, false, 5 * time.Second},
		{"LateReply", faulty.LateReply, context.DeadlineExceeded, true, 5 * time.Second},
		{"Refuse", faulty.Refuse(gone), gone, false, 0},
		{"Delay", faulty.Delay(time.Second), nil, true, time.Second},
		{"Delay beyond ctx", faulty.Delay(time.Minute), context.DeadlineExceeded, false, 5 * time.Second},
		{"DelayReply", faulty.DelayReply(time.Minute), nil, true, time.Minute},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				store := memory.New()
				f := faulty.New(store)
				f.Next(faulty.SetNX, tt.fault)
				ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
				defer cancel()
				start := time.Now()
				fence, err := f.SetNX(ctx, "key", "token", time.Hour)
				if took := time.Since(start); took != tt.took {
					t.Errorf("took %v, want %v", took, tt.took)
				}
				if !errors.Is(err, tt.wantErr) || (err == nil) != (fence != 0) {
					t.Errorf("fence %d, error %v, want %v", fence, err, tt.wantErr)
				}
				if happened := store.Evict("key"); happened != tt.happened {
					t.Errorf("happened: %v, want %v", happened, tt.happened)
				}
			})
		})
	}
}

func TestNextAndAll(t *testing.T) {
	f := faulty.New(memory.New())
	one, two, always := errors.New("one"), errors.New("two"), errors.New("always")
	f.All(faulty.DeleteIfOwner, faulty.Refuse(always))
	f.Next(faulty.DeleteIfOwner, faulty.Refuse(one), nil)
	f.Next(faulty.DeleteIfOwner, faulty.Refuse(two))
	for i, want := range []error{one, backend.ErrNotOwner, two, always, always} {
		if err := f.DeleteIfOwner(context.Background(), "key", "token"); !errors.Is(err, want) {
			t.Errorf("call %d: %v, want %v", i, err, want)
		}
	}
	if n := f.Calls(faulty.DeleteIfOwner); n != 5 {
		t.Errorf("%d calls counted, want 5", n)
	}
	if n := f.Calls(faulty.SetNX); n != 0 {
		t.Errorf("%d calls of another method counted, want 0", n)
	}
	f.AllOps(nil)
	if _, err := f.SetNX(context.Background(), "key", "token", time.Hour); err != nil {
		t.Errorf("SetNX without faults: %v", err)
	}
	if err := f.ExpireIfOwner(context.Background(), "key", "token", time.Hour); err != nil {
		t.Errorf("ExpireIfOwner without faults: %v", err)
	}
}

// noLine is a backend without a line, whatever is in it.
type noLine struct{ backend.Backend }

func TestLine(t *testing.T) {
	if faulty.New(noLine{memory.New()}).KeepsLine() || !faulty.New(memory.New()).KeepsLine() {
		t.Error("a line is kept if and only if the backend that is wrapped keeps one")
	}
	f := faulty.New(memory.New())
	ctx := context.Background()
	told := make(chan backend.Grant, 1)
	join := func(token string) error {
		fence, err := f.Join(ctx, "key", token, time.Hour, time.Hour, told)
		if (err == nil) != (fence != 0) {
			t.Errorf("fence %d with the error %v", fence, err)
		}
		return err
	}
	f.Next(faulty.SetNX, faulty.LoseReply)
	if err := join("holder"); !errors.Is(err, faulty.ErrConnection) {
		t.Errorf("Join whose reply is lost: %v, want ErrConnection", err)
	}
	if n := f.Calls(faulty.SetNX); n != 1 {
		t.Errorf("%d calls counted, want 1", n)
	}

	if err := join("holder"); err != nil {
		t.Errorf("Join by the holder: %v, want nil", err)
	}

	f.LoseGrants(true)
	if err := join("deaf"); !errors.Is(err, backend.ErrHeld) {
		t.Fatalf("Join of a held key: %v, want ErrHeld", err)
	}
	f.LoseGrants(false)
	if err := join("hears"); !errors.Is(err, backend.ErrHeld) {
		t.Fatalf("Join of a held key: %v, want ErrHeld", err)
	}
	if err := f.DeleteIfOwner(ctx, "key", "holder"); err != nil || len(told) != 0 {
		t.Errorf("DeleteIfOwner: %v, told %d times, want a grant that is lost", err, len(told))
	}
	if err := f.DeleteIfOwner(ctx, "key", "deaf"); err != nil || len(told) != 1 {
		t.Errorf("DeleteIfOwner by who was given the key: %v, told %d times, want once", err, len(told))
	}
}
