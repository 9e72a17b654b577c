package dislock

import (
	"context"
	"errors"
	"time"

	"github.com/dislock/dislock/backend"
)

// An acquisition is one call's way to a lease. All its questions to the store
// carry one token: if a grant's reply is lost, the next question finds its own
// token in the key and gets the same lease, where a new token would find the lock
// held by a stranger. It is also the token that stands in line.
type acquisition struct {
	call
	token string

	questions int
	failures  int   // questions in a row that got no answer
	doubt     bool  // the token may own the key, or stand in line
	unheard   bool  // the last question got no answer, and may still be under way
	reason    error // the last reason for waiting; nil before the first

	stood   bool               // in line
	missed  bool               // its turn, unheard
	granted chan backend.Grant // where the store tells of our turn; nil if it does not
}

func newAcquisition(c call) *acquisition {
	return &acquisition{call: c, token: backend.NewToken(c.owner)}
}

// wait asks until the store grants a lease or ctx ends. Between two questions it
// waits for its turn in line, if there is a line, or for a while.
func (a *acquisition) wait(ctx context.Context) (lease *Lease, err error) {
	defer func() {
		if lease == nil { // also because a hook or a driver panicked
			a.abandon()
		}
	}()
	if a.line != nil {
		a.granted = make(chan backend.Grant, 1)
	}
	pauses := backoff{next: a.minBackoff, max: a.maxBackoff}
	for {
		lease, err := a.ask(ctx)
		if err == nil {
			return lease, nil
		}
		if ctx.Err() == nil {
			a.gate.wait(err)
			a.waiting(func() error { return err })
			a.logFailure(err)
			if lease := a.await(ctx, a.untilNext(&pauses, err)); lease != nil {
				return lease, nil
			}
		}
		if ctx.Err() != nil {
			return nil, waitError(ended(ctx), a.reason)
		}
	}
}

// once asks one time.
func (a *acquisition) once(ctx context.Context) (*Lease, error) {
	lease, err := a.ask(ctx)
	if err == nil {
		return lease, nil
	}
	a.abandon()
	if ctx.Err() != nil {
		return nil, waitError(ended(ctx), a.reason)
	}
	return nil, err
}

// ask puts the question to the store, bounded by the time of one request. The
// error is the reason to ask again; one that is not ErrHeld leaves the
// acquisition in doubt.
func (a *acquisition) ask(ctx context.Context) (*Lease, error) {
	a.questions++
	timeout := a.requestTimeout()
	request, cancel := newRequest(ctx, timeout)
	defer cancel()

	// The lease is counted from before the request left: it can not have begun
	// earlier than that, however long the answer took.
	sent := a.now()
	fence, err := a.request(request)
	a.unheard = err != nil && !errors.Is(err, ErrHeld)
	switch {
	case errors.Is(err, ErrHeld):
		a.failures = 0
		a.reason = err
		return nil, err
	case err != nil && endOf(ctx) != nil && errors.Is(err, endOf(ctx)):
		// It was ctx that ended the request. If there was an answer before, that
		// says more about the store.
		err = unavailable(errNoAnswerYet)
		if a.reason == nil {
			a.reason = err
		}
	case err != nil:
		err = unavailable(noAnswer(err, timeout))
		a.reason = err
	case ctx.Err() != nil:
		// A done ctx never acquires, not even if the grant has just arrived.
		err = ended(ctx)
	case a.now().since(sent) >= validity(a.ttl):
		// Granted too late to be trusted. Asked again, our token finds its lease
		// or contends for a new one.
		err = unavailable(errTooLate)
		a.reason = err
	default:
		return newLease(a, fence, sent, a.ttl), nil
	}
	a.doubt = true
	return nil, err
}

// request puts the question in the way that the store has: in line, if there is
// one and the acquisition is willing to wait.
func (a *acquisition) request(ctx context.Context) (uint64, error) {
	if a.granted != nil {
		a.doubt = true // who has joined has to leave
		select {
		case <-a.granted: // the answer to come is newer, and needs the room
		default:
		}
		return a.line.Join(ctx, a.key, a.token, a.ttl, a.claim(), a.granted)
	}
	return a.backend.SetNX(ctx, a.key, a.token, a.ttl)
}

// logFailure logs a question that got no answer, unless it was ctx that ended it. The
// first is news and the thousandth is not: it logs 1, 2, 4, 8 …
func (a *acquisition) logFailure(err error) {
	if errors.Is(err, ErrHeld) || errors.Is(err, errNoAnswerYet) {
		return
	}
	a.failures++
	if a.failures&(a.failures-1) == 0 {
		a.log().Warn("dislock: waiting for the store", "key", a.key, "failures", a.failures, "err", err)
	}
}

// abandon ends an acquisition that will not ask again. A token that may own the
// key would block everybody for its ttl.
func (a *acquisition) abandon() {
	switch {
	case a.doubt && a.unheard:
		a.takeBackAgain(a.token)
	case a.doubt:
		a.takeBack(a.token)
	}
}

// newRequest returns the ctx of one request: it ends with ctx, and after timeout.
func newRequest(ctx context.Context, timeout time.Duration) (context.Context, context.CancelFunc) {
	if ctx.Done() == nil {
		return backend.Bounded(ctx, timeout)
	}
	return context.WithTimeout(ctx, timeout)
}
