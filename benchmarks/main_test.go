package main

import (
	"os"
	"testing"
)

// The tests' binary is also the helpers that it starts.
func TestMain(m *testing.M) {
	if code, assumed := assume(); assumed {
		os.Exit(code)
	}
	os.Exit(m.Run())
}
