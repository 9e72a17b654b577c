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

	// Released is called when an Unlock or a Detach has ended, except after a loss, and
	// after a Detach that failed.
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
	Attempts int           // questions to the store, the winning one included; 0 if another goroutine passed its lease on
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
	Again bool          // the hold had ended before, by an Unlock of unknown outcome that this one repeats
}

// What follows calls a hook if there is one. What a hook is told is gathered only
// then: a crowd of goroutines passes a lock on a million times a second.

func (h *Hooks) waiting(key string, reason func() error) {
	if h.Waiting != nil {
		h.Waiting(WaitingInfo{Key: key, Reason: reason()})
	}
}

func (h *Hooks) acquired(l *Lease, start moment, attempts int) {
	if h.Acquired != nil {
		h.Acquired(AcquiredInfo{Key: l.mutex.key, Fence: l.fence, Took: l.began.since(start), Attempts: attempts})
	}
}

func (h *Hooks) renewed(l *Lease, took time.Duration) {
	if h.Renewed != nil {
		h.Renewed(RenewedInfo{Key: l.mutex.key, Fence: l.fence, Took: took})
	}
}

func (h *Hooks) renewalFailed(l *Lease, err error, failures int, left time.Duration) {
	if h.RenewalFailed != nil {
		h.RenewalFailed(RenewalFailedInfo{Key: l.mutex.key, Fence: l.fence, Err: err, Failures: failures, Left: left})
	}
}

func (h *Hooks) lost(l *Lease, err error) {
	if h.Lost != nil {
		h.Lost(LostInfo{Key: l.mutex.key, Fence: l.fence, Held: l.held(), Err: err})
	}
}

func (h *Hooks) released(l *Lease, err error) {
	if h.Released != nil {
		h.Released(ReleasedInfo{Key: l.mutex.key, Fence: l.fence, Held: l.held(), Err: err, Again: l.again})
	}
}
