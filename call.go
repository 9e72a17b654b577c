package dislock

import "sync"

// A call is one Lock or TryLock, as the hooks are told of it.
type call struct {
	*Mutex
	start  moment
	waited bool // as the hook was told
}

func (c *call) waiting(reason func() error) {
	if c.waited {
		return
	}
	c.waited = true
	if c.hooks.Waiting != nil {
		c.hooks.Waiting(WaitingInfo{Key: c.key, Reason: reason()})
	}
}

// report tells how the call has ended, and passes it on.
func (c *call) report(l *Lease, err error, attempts int) (*Lease, error) {
	switch {
	case err == nil:
		c.acquired(l, attempts)
	case c.waited && c.hooks.GaveUp != nil:
		c.hooks.GaveUp(GaveUpInfo{Key: c.key, Took: c.now().since(c.start), Err: err})
	}
	return l, err
}

func (c *call) acquired(l *Lease, attempts int) {
	defer l.announcement.made() // also if the hook panics
	if c.hooks.Acquired != nil {
		c.hooks.Acquired(AcquiredInfo{
			Key: c.key, Fence: l.fence, Waited: c.waited, Took: l.began.since(c.start), Attempts: attempts,
		})
	}
}

// An announcement is that of a lease to the Acquired hook. What is told of the lease's
// end has to wait for it: the renewal finds out about a loss, and the goroutine that
// acquired the lease may not have got as far as saying so. If it never says so, because
// its ctx had ended, there is nothing to tell, either.
type announcement struct {
	mu      sync.Mutex
	over    bool
	waiting func() // nil if nothing waits
}

// then calls tell when the announcement has been made.
func (a *announcement) then(tell func()) {
	a.mu.Lock()
	over := a.over
	if !over {
		a.waiting = tell
	}
	a.mu.Unlock()
	if over {
		tell()
	}
}

// made says that the announcement has been made.
func (a *announcement) made() {
	a.mu.Lock()
	a.over = true
	tell := a.waiting
	a.mu.Unlock()
	if tell != nil {
		tell()
	}
}
