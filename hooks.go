package dislock

import "time"

// Hooks are functions that a [Mutex] calls when something happens to it, in the
// manner of net/http/httptrace. Any of them may be nil. They are called in the
// goroutine in which it happened, with no lock held: they may be called at the
// same time by several goroutines, hold up what called them, and must not lock or
// unlock the Mutex that they observe. None of them is ever given a token.
//
// They come in pairs, for whoever counts: Waiting is followed by one of Acquired and
// GaveUp, and Acquired by one of Lost and Released, if one does not count a Released
// that says Again.
type Hooks struct {
	// Waiting is called when an acquisition finds that it has to wait, once.
	Waiting func(WaitingInfo)

	// GaveUp is called when an acquisition that had to wait ends without the lock.
	GaveUp func(GaveUpInfo)

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

// GaveUpInfo is what [Hooks].GaveUp is told.
type GaveUpInfo struct {
	Key  string
	Took time.Duration // from the call to its end
	Err  error         // matches ctx's error or ErrClosed, and the last reason for waiting
}

// AcquiredInfo is what [Hooks].Acquired is told.
type AcquiredInfo struct {
	Key      string
	Fence    uint64
	Waited   bool          // Waiting was called
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

// then returns hooks that call those of h, and after each the same of next.
func (h Hooks) then(next Hooks) Hooks {
	return Hooks{
		Waiting:       chain(h.Waiting, next.Waiting),
		GaveUp:        chain(h.GaveUp, next.GaveUp),
		Acquired:      chain(h.Acquired, next.Acquired),
		Renewed:       chain(h.Renewed, next.Renewed),
		RenewalFailed: chain(h.RenewalFailed, next.RenewalFailed),
		Lost:          chain(h.Lost, next.Lost),
		Released:      chain(h.Released, next.Released),
	}
}

// chain returns a function that calls both, of which either may be nil.
func chain[Info any](first, second func(Info)) func(Info) {
	switch {
	case first == nil:
		return second
	case second == nil:
		return first
	}
	return func(i Info) {
		first(i)
		second(i)
	}
}

// What follows calls a hook if there is one. What a hook is told is gathered only
// then: a crowd of goroutines passes a lock on a million times a second.

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

func (h *Hooks) lost(l *Lease, held time.Duration, err error) {
	if h.Lost != nil {
		h.Lost(LostInfo{Key: l.mutex.key, Fence: l.fence, Held: held, Err: err})
	}
}

func (h *Hooks) released(l *Lease, err error) {
	if h.Released != nil {
		h.Released(ReleasedInfo{Key: l.mutex.key, Fence: l.fence, Held: l.held(), Err: err, Again: l.again})
	}
}
