package main

import "syscall"

// The exit codes of dislock itself. Those of 64 and above are what sysexits(3) says, as
// far as it has a word for it; a command that is run under a lock seldom ends with one.
const (
	exitOK          = 0
	exitFailed      = 1   // what was asked for did not come about
	exitUsage       = 64  // EX_USAGE: the command line or the URL is wrong
	exitUnavailable = 69  // EX_UNAVAILABLE: the store gave no answer
	exitSystem      = 71  // EX_OSERR: a process could not be started
	exitBusy        = 75  // EX_TEMPFAIL: somebody else has the lock
	exitLost        = 79  // the first that sysexits does not name: the lock was lost while the command ran
	exitNoExec      = 126 // the command can not be executed, as shells say it
	exitNotFound    = 127 // the command was not found, as shells say it
)

// exitSignal is the exit code of who was ended by a signal, as shells say it.
func exitSignal(s syscall.Signal) int { return 128 + int(s) }
