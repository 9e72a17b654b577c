package fuzz

import (
	"errors"
	"os"
	"slices"
	"sync"
	"testing"

	"go.uber.org/goleak"

	"github.com/dislock/dislock/internal/redistest"
)

// server starts when somebody asks for it: the process that only hands out inputs
// to others has no use for one.
var server = sync.OnceValues(func() (*redistest.Server, error) {
	s, err := redistest.StartProcess()
	if err == nil {
		AtEnd(s.Close)
	}
	return s, err
})

// Server returns the server of this process. A package that calls it has [Main] for
// its TestMain. Each process of a fuzz run has a server of its own.
func Server(tb testing.TB) *redistest.Server {
	tb.Helper()
	s, err := server()
	if errors.Is(err, redistest.ErrNotInstalled) && os.Getenv("DISLOCK_TEST_SERVERS") != "required" {
		tb.Skip("NOT TESTED: ", err)
	}
	if err != nil {
		tb.Fatal(err)
	}
	return s
}

var (
	mu    sync.Mutex
	atEnd []func()
)

// AtEnd has f called when the tests of this process have run, the last one first.
// An input ends too soon for what many of them share.
func AtEnd(f func()) {
	mu.Lock()
	defer mu.Unlock()
	atEnd = append(atEnd, f)
}

// Main runs the tests, ends what is left to [AtEnd], and fails if a goroutine is
// left then.
func Main(m *testing.M) { goleak.VerifyTestMain(run(m.Run)) }

type run func() int

func (r run) Run() int {
	code := r()
	mu.Lock()
	defer mu.Unlock()
	for _, f := range slices.Backward(atEnd) {
		f()
	}
	atEnd = nil
	return code
}
