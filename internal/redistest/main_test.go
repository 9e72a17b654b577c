package redistest

import (
	"fmt"
	"os"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	if os.Getenv("REDISTEST_ORPHAN") != "" {
		orphan()
	}
	goleak.VerifyTestMain(m)
}

// orphan leaves a server behind and dies without a chance to clean up.
func orphan() {
	s, err := StartProcess()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Print(s.Addr())
	s.Pause()
	self, err := os.FindProcess(os.Getpid())
	if err == nil {
		err = self.Kill()
	}
	fmt.Fprintln(os.Stderr, "still alive:", err)
	os.Exit(1)
}
