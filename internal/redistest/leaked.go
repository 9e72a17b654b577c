package redistest

import (
	"fmt"
	"os"
	"testing"
	"time"

	"go.uber.org/goleak"
)

// RunWithoutLeaks runs the tests of a package and exits, with a failure if goroutines
// are left behind that do not end within patience. It is goleak's VerifyTestMain for
// where half a second is not enough: what has its bound in seconds, like a key that is
// given back to a server that is gone, or a client library that dials the dead.
func RunWithoutLeaks(m *testing.M, patience time.Duration) {
	code := m.Run()
	err := goleak.Find()
	for end := time.Now().Add(patience); err != nil && time.Now().Before(end); {
		err = goleak.Find()
	}
	if err != nil && code == 0 {
		fmt.Fprintln(os.Stderr, "goroutines are left behind:", err)
		code = 1
	}
	os.Exit(code)
}
