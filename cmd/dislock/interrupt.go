//go:build darwin || dragonfly || freebsd || linux || netbsd || openbsd

package main

import (
	"os"
	"syscall"
	"time"
)

// interrupt ends this process by SIGINT if ^C on a terminal has ended the command, or the
// wait for the lock. From an exit code a shell would conclude that the command has dealt
// with ^C by itself, and go on with its loop or script. Nobody is notified of signals any
// more when this is called.
func (j *job) interrupt() {
	if !j.interrupted || !j.foreground {
		return
	}
	_ = syscall.Kill(os.Getpid(), syscall.SIGINT)
	time.Sleep(time.Second) // it may be another thread that gets it; nothing happens if it is ignored
}
