package main

import "time"

// An event is what a process tells: one line of JSON on its standard output.
type event struct {
	What    what
	At      time.Time // all on one machine, so that the wall clock will do
	Fence   uint64    `json:",omitempty"`
	Balance int       `json:",omitempty"` // that was read, or that it wants to write
	Text    string    `json:",omitempty"` // why it waits, was refused or failed
}

type what string

const (
	waits   what = "waits"   // somebody else has the lock
	looked  what = "looked"  // it has read, its lease was good, and it is about to write
	wrote   what = "wrote"   // the balance is written
	refused what = "refused" // the account has refused to be written to with its fence
	lost    what = "lost"    // the lease has ended before the unlocking
	failed  what = "failed"  // it gave up
)
