// Package backend is the contract between a dislock.Mutex and the store that
// keeps its state. Whoever implements [Backend] needs to read this file and no
// other; whoever wants to know that an implementation is right runs package
// conformance, which has a named case for every clause below.
//
// A backend does three small things, each in one indivisible step. All policy
// (waiting, backoff, renewal, deadlines, logging) lives in the mutex, once.
//
// # Three outcomes
//
// Every method ends in one of three ways and never blurs them:
//
//   - nil: it happened.
//   - [ErrHeld] or [ErrNotOwner]: the store answered no, and nothing changed.
//   - any other error: nobody knows. It may have happened, it may still happen.
//
// The third is not a failure of the backend; a network has it. The mutex knows
// what to do about it, but only if it is told: an error that hides behind
// ErrHeld makes a lock refuse its own owner, one that hides behind nil gives a
// lock that nobody has.
//
// # The clauses
//
//   - B1, exclusion: a key has at most one living lease.
//   - B2, one step: a method looks and changes in one indivisible step. Nothing
//     that any client does can come between the look and the change.
//   - B3, the store is the only memory: what one client took, another client of
//     the same store can prolong or end, given the token.
//   - B4, a lease ends by itself: after its ttl by the store's clock, never
//     before. The ttl travels as a duration in whole milliseconds (a fraction is
//     rounded up), never as a client's wall-clock time. A ttl below one
//     millisecond is refused with an error and changes nothing.
//   - B5, ended is over: neither ExpireIfOwner nor DeleteIfOwner succeeds on a
//     lease that has ended, even if the key is free.
//   - B6, never for ever: at no moment is there a lease without a deadline, also
//     if a client dies half-way through a call.
//   - B7, same token, same lease: SetNX by the token that owns the key succeeds,
//     restarts the ttl and returns the same fence. Client libraries repeat a
//     request whose answer was lost; without this clause a lock is refused by
//     its own token.
//   - B8, bytes: keys and tokens are bytes, compared whole. There is no folding,
//     trimming, cleaning or prefix matching, and two different keys share nothing.
//   - B9, fences grow: each new lease on a key has a larger fence than every
//     earlier one on it. A counter that was lost or has expired must not start
//     again below.
//   - B10, contexts: a ctx that is already done touches nothing. A ctx that ends
//     during a call makes the call return promptly, even if the server has
//     stopped answering and the client library ignores contexts.
//   - B11, a good guest: safe for concurrent use. No retries, no sleeps and no
//     lasting goroutines inside. The client that was passed in belongs to the
//     caller and is neither configured nor closed.
//
// # In line
//
// With these three methods waiters poll, which is always right, and slow and
// unfair. A store that can keep the waiters of a key in line, and tell them of
// their turn, implements [Line] as well. Its clauses:
//
//   - L1, in turn: DeleteIfOwner by the owner gives the key to the first in line,
//     in the same step. If a key has become free otherwise, the next Join does
//     that, unless it is the first in line itself that asks. SetNX takes a free key
//     past the line, and so may the first Join of a client that has yet to listen.
//   - L2, told once: who is given the key is told so at most once per lease, and
//     nobody else is.
//   - L3, a claim is a lease: what is given is a lease of the length that its
//     owner claimed, and B1 to B9 hold of it. So a waiter that has died costs the
//     others its claim at most.
//   - L4, places are kept: asking again keeps the place in line. It ends when the
//     token takes or is given the key, and when DeleteIfOwner is called with it.
//   - L5, leaving passes on: who calls DeleteIfOwner leaves the line, and if it
//     has been given the key, told or not, the next in line has it.
//   - L6, a sound start: a lease began no earlier than [Grant].Began says.
//   - L7, telling is only faster: a token that has been given the key finds its
//     lease when it asks (B7), with the fence it was given. If every word to the
//     waiters is lost, all of them are still served.
//
// A Line may keep a connection and a goroutine to hear what waiters are told, for
// as long as there are any and a while beyond; that much is excepted from B11. If
// it can not hear at the moment, or for good, Join goes on without telling.
//
// # What the mutex promises in return
//
// The key is not empty. A token is unique to one acquisition and comes from a
// cryptographic source; repeated attempts of that acquisition carry the same
// token. The ttl is at least one millisecond and a whole number of them. Every
// ctx has a deadline. After an unknown outcome the mutex asks again or deletes
// the token, so a backend does not have to clean up after itself. DeleteIfOwner
// is also called with tokens that never owned the key. A token asks by SetNX or by
// Join, never by both, and through one Backend.
package backend

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// Backend keeps leases. A lease is the pair (key, token) with a deadline and a
// fence: whoever knows the token of the living lease owns the key until then.
type Backend interface {
	// SetNX takes key for token if nobody holds it, for ttl from the moment that
	// the store does so, and returns the fence of the lease. If token holds the key
	// already, the ttl restarts and the fence is that of the lease (B7). If another
	// token holds it, the error matches [ErrHeld]; it should be a [*HeldError],
	// most easily made with [Held].
	SetNX(ctx context.Context, key, token string, ttl time.Duration) (fence uint64, err error)

	// ExpireIfOwner makes the lease of token on key end ttl from now: it sets what
	// is left, be that longer or shorter than before. If token does not hold the
	// key, the error matches [ErrNotOwner] and nothing is created.
	ExpireIfOwner(ctx context.Context, key, token string, ttl time.Duration) error

	// DeleteIfOwner ends the lease of token on key. If token does not hold the key,
	// the error matches [ErrNotOwner].
	DeleteIfOwner(ctx context.Context, key, token string) error
}

// Line is the part of a [Backend] that need not be there: the store keeps those
// who wait for a key in line.
type Line interface {
	Backend

	// Join is SetNX, except that a token that is refused gets a place in the key's
	// line, or keeps the one it has. When its turn comes the store gives it the key,
	// for the duration claim, and tells it by a [Grant] on told.
	//
	// The place and told outlast the call and its ctx, until the token is given the
	// key and told, takes it, or leaves. All questions of a token have the same ttl,
	// claim and told. The claim is a ttl like any other, and not longer than ttl. Who
	// stands in line asks at least every 30 s; a place for which nobody has asked for
	// some minutes may be forgotten, and should be, or the dead stand in line for ever.
	//
	// told has room for one. Whoever tells does not wait: if it is full, what there
	// is to tell is dropped, because what lies there makes the waiter ask again.
	//
	// A refusal should say the place ([HeldError].Place). While it says none, the
	// waiter polls.
	//
	// Who has joined and does not get the key leaves by DeleteIfOwner.
	Join(ctx context.Context, key, token string, ttl, claim time.Duration, told chan<- Grant) (fence uint64, err error)

	// KeepsLine reports whether there is a line at all, always the same. It is for
	// types that wrap a Backend of any kind, or serve stores of several. If it says
	// no, Join is never called. A type that embeds a Line and overrides SetNX has to
	// override Join as well.
	KeepsLine() bool
}

// LineOf returns b as a [Line], and nil if it keeps none.
func LineOf(b Backend) Line {
	if l, ok := b.(Line); ok && l.KeepsLine() {
		return l
	}
	return nil
}

// A Grant tells a waiter that the key is its own. The zero Grant says only that
// there is a reason to ask again.
type Grant struct {
	// Fence is that of the lease.
	Fence uint64

	// Began is an instant on the waiter's clocks, monotonic and wall, that is not
	// later than the lease's beginning (L6). Nobody asked for the lease at a moment
	// that the waiter knows, so the store has to say it.
	Began time.Time
}

// Tell puts g on told unless something lies there already.
func Tell(told chan<- Grant, g Grant) {
	select {
	case told <- g:
	default:
	}
}

var (
	// ErrHeld is the store's definite no to SetNX: another token holds the key.
	ErrHeld = errors.New("held by another owner")

	// ErrNotOwner is the store's definite no to ExpireIfOwner and DeleteIfOwner:
	// the token does not hold the key, because the lease ended or never was.
	ErrNotOwner = errors.New("not the owner")
)

// HeldError is an [ErrHeld] that knows more. What it says was true when the
// store answered, and may have changed since.
type HeldError struct {
	// Owner is the readable label in front of the holder's token, as the option
	// dislock.WithOwner set it; empty when the token carries none. It is never the
	// token itself, which is the holder's to keep.
	Owner string

	// TTL is how long the holder's lease still lasts unless it is renewed or
	// released: a waiter asks again then at the latest. 0 says that it is not known,
	// so a store that counts milliseconds says 1 ms while there is less than that.
	TTL time.Duration

	// Place is the asking token's place in line, 1 if it is next, as far as it stands
	// in one and will be told of its turn. 0 says that it has to poll.
	Place int

	// New says that the token did not stand in line before this question. To one that
	// has stood there it says that it has missed its turn.
	New bool
}

// Held returns the error with which SetNX says that token holds the key, for
// another ttl. It takes the readable label out of the token.
func Held(token string, ttl time.Duration) *HeldError {
	return &HeldError{Owner: Owner(token), TTL: max(ttl, 0)}
}

// Error names the holder, as far as it is known, and what is left of its lease.
func (e *HeldError) Error() string {
	s := ErrHeld.Error()
	if e.Owner != "" {
		s = fmt.Sprintf("held by %q", e.Owner)
	}
	if e.TTL > 0 {
		s += fmt.Sprintf(" for another %v", e.TTL)
	}
	if e.Place > 1 {
		s += fmt.Sprintf(", %d before us in line", e.Place-1)
	}
	return s
}

// Is reports that a HeldError is an [ErrHeld].
func (e *HeldError) Is(target error) bool { return target == ErrHeld }
