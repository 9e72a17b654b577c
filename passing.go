package dislock

// Passing: an Unlock gives the living lease to the next goroutine of this process,
// without a word to the store. What is passed on is the renewal; each holder has a
// Lease of its own.

// pass makes the next in line the holder of what from holds, if there is one and
// the lease allows it. The caller calls the turn when from has ended.
func (g *gate) pass(from *Lease) *turn {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.waiters.Len() == 0 || g.holder != from {
		return nil
	}
	lease := from.renewal.pass()
	if lease == nil {
		return nil
	}
	g.holder = lease
	t := g.next()
	t.lease = lease
	return t
}

// pass makes a new lease the holder, which begins now, and returns it. It returns
// nil if the process has held the lock for long enough, or there is doubt about
// how much longer the store keeps it.
func (r *renewal) pass() *Lease {
	now := r.mutex.now()
	if now.since(r.since) >= r.mutex.passing {
		return nil
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.over || r.stopped || r.failures > 0 || validity(r.ttl) <= now.since(r.sent) {
		return nil
	}
	if r.holder.reason() != nil { // lost, as by Close, which tells the holder before it retires the lease
		return nil
	}
	if now.mono.Sub(r.holder.began.mono) < r.mutex.minHold { // nobody has it before that
		return nil
	}
	r.holder = &Lease{renewal: r, began: now}
	return r.holder
}

// giveBack gives away a lease that was passed to a goroutine whose ctx has ended:
// to the next one, or else to the store, in the background, because the caller is
// gone. A nil lease is nobody's.
func (m *Mutex) giveBack(l *Lease) bool {
	if l == nil || !l.beginUnlock() {
		return false
	}
	if next := m.gate.pass(l); next != nil {
		defer next.call()
		return l.endHold(unlocked)
	}
	defer m.gate.leave(l)
	defer m.takeBack(l.token)
	return l.endUnlock(nil)
}
