// Package dislock provides a mutex that processes share. It has the method set of
// [sync.Mutex]; its state lives in a store behind a small interface, of which
// Redis (by redigo or by go-redis) and the memory of one process are
// implementations.
//
//	mu := dislock.New(goredis.New(client), "invoices:2026-11")
//
//	lease, err := mu.LockContext(ctx)
//	if err != nil {
//		return err
//	}
//	defer lease.Unlock(ctx)
//
// # What it does not promise
//
// Holding the lock is a lease, and a lease is not a proof. A process can be paused
// for longer than its lease lasts, between the moment it looked and the moment it
// wrote; then another one has the lock, and both believe that they may write. A
// Redis that fails over to a replica can forget the latest leases and grant them
// again, and somebody can delete a key by hand; the holder is told of that at its
// next renewal. In all else it is told of a loss before the store can give the key
// away. Where that is not enough, the resource itself has to refuse a stale
// writer, by [Lease.Fence].
//
// It is not reentrant.
//
// # Waiting
//
// Processes that wait stand in line, if the backend keeps one ([backend.Line], as
// both Redis adapters and memory do): a release gives the lock to the first of
// them in the same step, and tells it. The goroutines of a process that share a
// Mutex wait in a line of their own, and one of them at a time stands in that of
// the processes. Unlock passes the lock on to the next of them, at the cost of a
// goroutine switch, until the process has had it for 10 ms ([WithPassing]); then
// the other processes have their turn.
//
// Being told is only ever faster. A waiter asks again, should the word get lost, as
// often as its place in line makes sensible (at the latest after [WithBackoff]'s
// maximum times the place), and when the lease in the way may have ended. One that
// is given the lock has it for a claim, a tenth of its ttl but at least a second and
// at most the ttl, which the first renewal prolongs. So a waiter that was frozen
// costs the others its claim; one that is dead costs nothing where the store can
// see that.
//
// On a backend that keeps no line, waiters poll, and it is not fair between
// processes.
//
// # Holding
//
// A lease lasts for a ttl (30 s by default, [WithTTL]) and is renewed every third
// of it for as long as it is held. A process that dies leaves its key behind for
// a ttl at most. A failed renewal is no loss; it is tried again until the
// deadline. The lock is lost when the store says that somebody else has the key,
// or when the deadline passes. The deadline is counted from before the request
// was sent that the store granted (for one who was given the lock in line, from
// before the store did so), less a margin, on the monotonic and on the
// wall clock, whichever is further: so it is earlier than the store's, and a
// machine that was suspended does not hold on to a lease that it slept through,
// if its wall clock knows of the sleep.
//
// The holder learns of a loss by [Lease.Done] and [Lease.Err]; the ctx that
// [Mutex.Do] hands to its function is cancelled. Nothing is ever stopped by force.
//
// # Contexts
//
// The ctx of [Mutex.LockContext] bounds the waiting, and nothing else bounds it:
// there is no hidden number of retries. A ctx that has ended never acquires. The
// lease outlives that ctx: a timeout for acquiring never stops renewal, and
// [Lease.Unlock] frees the key even if its own ctx has ended.
//
// # Errors
//
// Every error matches one of [ErrHeld], [ErrLost], [ErrNotHeld], [ErrUnavailable],
// [ErrClosed] or the ctx's own error by [errors.Is], names the operation and the key, and
// wraps its cause. A wait that ctx ended matches the ctx's error and also the last
// reason for waiting. No error and no log line shows a token.
//
// # Several, elsewhere, for longer, no more
//
// [LockAll] locks several keys, all or none, without waiting in circles. A lease that is
// taken in one process can be released in another: [Lease.Detach], [Mutex.Adopt].
// [WithMinHold] keeps the lock locked for a while though the work was done sooner. A
// process that ends gives back what it holds by [Group.Close].
//
// # Testing
//
// Code that takes a [backend.Backend] is tested with package backend/memory, no
// server needed, in package testing/synctest if time matters. Package
// backend/faulty shows it a store that loses requests, replies and connections.
// Package conformance proves a backend of your own.
package dislock
