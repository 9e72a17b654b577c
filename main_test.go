package dislock_test

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/dislock/dislock"
	"github.com/dislock/dislock/backend/faulty"
	"github.com/dislock/dislock/backend/memory"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const key = "invoices"

// A fixture is a Mutex on a memory store, with what may go wrong in between.
type fixture struct {
	*dislock.Mutex
	store  *memory.Store
	faults *faulty.Backend
	log    *logBuffer
}

func newFixture(opts ...dislock.Option) *fixture {
	store, log := memory.New(), new(logBuffer)
	faults := faulty.New(store)
	opts = append([]dislock.Option{dislock.WithLogger(slog.New(slog.NewTextHandler(log, nil)))}, opts...)
	return &fixture{Mutex: dislock.New(faults, key, opts...), store: store, faults: faults, log: log}
}

// rival returns another Mutex for the same lock, as another process has one.
func (f *fixture) rival(opts ...dislock.Option) *dislock.Mutex {
	opts = append([]dislock.Option{dislock.WithLogger(slog.New(slog.NewTextHandler(io.Discard, nil)))}, opts...)
	return dislock.New(f.store, key, opts...)
}

func mustLock(t *testing.T, mu *dislock.Mutex) *dislock.Lease {
	t.Helper()
	lease, err := mu.LockContext(context.Background())
	if err != nil {
		t.Fatalf("LockContext: %v, want nil", err)
	}
	return lease
}

func isDone(lease *dislock.Lease) bool {
	select {
	case <-lease.Done():
		return true
	default:
		return false
	}
}

// validity is for how long a lease of ttl is trusted.
func validity(ttl time.Duration) time.Duration { return ttl - ttl/100 - 2*time.Millisecond }

type logBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *logBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *logBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}

// quiet is for what shall not be read in the log of the tests.
var quiet = dislock.WithLogger(slog.New(slog.DiscardHandler))
