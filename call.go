package dislock

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
	defer l.announce() // also if the hook panics
	if c.hooks.Acquired != nil {
		c.hooks.Acquired(AcquiredInfo{
			Key: c.key, Fence: l.fence, Waited: c.waited, Took: l.began.since(c.start), Attempts: attempts,
		})
	}
}

// whenAnnounced calls tell when the Acquired hook has been called. It is the renewal that
// finds out about a loss, and the goroutine that acquired the lease may not have got as
// far as saying so. If it never says so, because its ctx had ended, there is nothing to
// tell, either.
func (l *Lease) whenAnnounced(tell func()) {
	l.mu.Lock()
	announced := l.announced
	if !announced {
		l.untold = tell
	}
	l.mu.Unlock()
	if announced {
		tell()
	}
}

// announce says that the Acquired hook has been called.
func (l *Lease) announce() {
	l.mu.Lock()
	l.announced = true
	tell := l.untold
	l.mu.Unlock()
	if tell != nil {
		tell()
	}
}
