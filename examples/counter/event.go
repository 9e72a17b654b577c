package main

import (
	"strings"
	"time"
)

// An event is what a worker tells, or what is told about it. A worker process
// writes each as one line of JSON to its standard output.
type event struct {
	What   what
	Worker int
	At     time.Time // all on one machine, so that the wall clock will do
	Fence  uint64    `json:",omitempty"` // of entered; 0 without the lock
	PID    int       `json:",omitempty"` // of started
	Text   string    `json:",omitempty"` // of troubled and failed
}

type what string

const (
	started  what = "started"  // a process began
	entered  what = "entered"  // it is about to read the number
	left     what = "left"     // it has written the number
	troubled what = "troubled" // something went wrong, it goes on
	failed   what = "failed"   // it gave up
	killed   what = "killed"   // it ended without having a say in it
)

// oneLine returns the text of err, which has several lines if several errors were
// joined.
func oneLine(err error) string { return strings.ReplaceAll(err.Error(), "\n", "; ") }
