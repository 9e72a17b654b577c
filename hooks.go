package dislock

import "time"

// Hooks are functions that a [Mutex] calls when something happens to it, in the
// manner of net/http/httptrace. Any of them may be nil. They are called in the
// goroutine in which it happened, with no lock held: they may be called at the
// same time by several goroutines, hold up what called them, and must not lock or
// unlock the Mutex that they observe. A loss may be told before the acquisition.
// None of them is ever given a token.
type Hooks struct {
	// Waiting is called when an acquisition finds that it has to wait, once.
	Waiting func(WaitingInfo)

	// Acquired is called when a lease begins.
	Acquired func(AcquiredInfo)

	// Renewed is called when a lease was prolonged.
	Renewed func(RenewedInfo)

	// RenewalFailed is called when an attempt to prolong a lease got no answer. It
	// is tried again until the lease's deadline.
	RenewalFailed func(RenewalFailedInfo)

	// Lost is called when a lease ended before it was unlocked.
	Lost func(LostInfo)

	// Released is called when an Unlock has ended, except after a loss.
	Released func(ReleasedInfo)
}

// WaitingInfo is what [Hooks].Waiting is told.
type WaitingInfo struct {
	Key    string
	Reason error // matches ErrHeld or ErrUnavailable
}

// AcquiredInfo is what [Hooks].Acquired is told.
type AcquiredInfo struct {
	Key      string
	Fence    uint64
	Took     time.Duration // from the call to the grant
	Attempts int           // questions to the store, the winning one included
}

// RenewedInfo is what [Hooks].Renewed is told.
type RenewedInfo struct {
	Key   string
	Fence uint64
	Took  time.Duration // the store's answer
}

// RenewalFailedInfo is what [Hooks].RenewalFailed is told.
type RenewalFailedInfo struct {
	Key      string
	Fence    uint64
	Err      error         // matches ErrUnavailable
	Failures int           // in a row
	Left     time.Duration // until the lease is given up
}

// LostInfo is what [Hooks].Lost is told.
type LostInfo struct {
	Key   string
	Fence uint64
	Held  time.Duration // from the grant to the loss
	Err   error         // matches ErrLost
}

// ReleasedInfo is what [Hooks].Released is told.
type ReleasedInfo struct {
	Key   string
	Fence uint64
	Held  time.Duration // from the grant to the end of the Unlock
	Err   error         // nil, or matches ErrUnavailable when the outcome is unknown
}

// filled returns h with a function that does nothing in every empty place.
func (h Hooks) filled() Hooks {
	if h.Waiting == nil {
		h.Waiting = func(WaitingInfo) {}
	}
	if h.Acquired == nil {
		h.Acquired = func(AcquiredInfo) {}
	}
	if h.Renewed == nil {
		h.Renewed = func(RenewedInfo) {}
	}
	if h.RenewalFailed == nil {
		h.RenewalFailed = func(RenewalFailedInfo) {}
	}
	if h.Lost == nil {
		h.Lost = func(LostInfo) {}
	}
	if h.Released == nil {
		h.Released = func(ReleasedInfo) {}
	}
	return h
}
