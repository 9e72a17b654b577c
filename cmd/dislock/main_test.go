package main

import (
	"os"
	"testing"

	"go.uber.org/goleak"
)

// beCommand, set in the environment, makes the test binary the command itself, with the
// arguments that follow: tests run it as a real process, and it its guard.
const beCommand = "DISLOCK_BE_COMMAND"

func TestMain(m *testing.M) {
	if os.Getenv(beCommand) != "" {
		main()
	}
	// Under -race a process sleeps for a second before it ends, also one that holds a lock.
	os.Setenv("GORACE", os.Getenv("GORACE")+" atexit_sleep_ms=0")
	goleak.VerifyTestMain(m)
}
