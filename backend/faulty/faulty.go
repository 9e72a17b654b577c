// Package faulty puts faults between a Mutex and its store, for tests: ours, and
// those of whoever wants to know what their code does when the lock is lost or
// the store is away.
//
//	store := faulty.New(memory.New())
//	mu := dislock.New(store, "invoices")
//
//	store.Next(faulty.SetNX, faulty.LoseReply)       // the next acquire happens, unheard
//	store.All(faulty.ExpireIfOwner, faulty.LoseRequest) // from now on no renewal arrives
//	store.All(faulty.ExpireIfOwner, nil)             // and now they do again
//
// A [Fault] is a function, so a test can write its own.
package faulty

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/dislock/dislock/backend"
)

// An Op names a method of [backend.Backend].
type Op int

// The methods. SetNX is also Join of a [backend.Line]: both ask for the key.
const (
	SetNX Op = iota
	ExpireIfOwner
	DeleteIfOwner
	numOps
)

func (op Op) String() string {
	return [...]string{"SetNX", "ExpireIfOwner", "DeleteIfOwner"}[op]
}

// A Fault stands between a call and the store. It decides whether and when to
// call the store, and what the caller hears.
type Fault func(ctx context.Context, call func(context.Context) error) error

// ErrConnection is what the caller hears of a lost request or a lost reply. It
// says nothing about whether the call happened.
var ErrConnection = errors.New("faulty: connection lost")

// LoseRequest drops a call before it reaches the store.
func LoseRequest(context.Context, func(context.Context) error) error {
	return ErrConnection
}

// LoseReply lets a call happen and drops the answer.
func LoseReply(ctx context.Context, call func(context.Context) error) error {
	_ = call(ctx)
	return ErrConnection
}

// Freeze is a store that has stopped answering: the call never reaches it and
// ends when ctx does.
func Freeze(ctx context.Context, _ func(context.Context) error) error {
	<-ctx.Done()
	return ctx.Err()
}

// LateReply lets a call happen and then behaves like [Freeze].
func LateReply(ctx context.Context, call func(context.Context) error) error {
	_ = call(ctx)
	<-ctx.Done()
	return ctx.Err()
}

// Refuse answers with err, without the store.
func Refuse(err error) Fault {
	return func(context.Context, func(context.Context) error) error { return err }
}

// Delay lets d pass before a call reaches the store, unless ctx ends first.
func Delay(d time.Duration) Fault {
	return func(ctx context.Context, call func(context.Context) error) error {
		t := time.NewTimer(d)
		defer t.Stop()
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-t.C:
			return call(ctx)
		}
	}
}

// DelayReply lets a call happen and d pass before the answer arrives, even if ctx
// ends meanwhile: a client that ignores contexts.
func DelayReply(d time.Duration) Fault {
	return func(ctx context.Context, call func(context.Context) error) error {
		err := call(ctx)
		time.Sleep(d)
		return err
	}
}

// A Backend passes calls on to another one, unless a fault is in the way.
type Backend struct {
	inner backend.Backend

	mu    sync.Mutex
	deaf  bool // waiters are told nothing
	next  [numOps][]Fault
	all   [numOps]Fault
	calls [numOps]int
}

var _ backend.Line = (*Backend)(nil)

// New returns a Backend without faults around b.
func New(b backend.Backend) *Backend { return &Backend{inner: b} }

// Next puts each of faults in the way of one coming call of op, in turn, after
// those that wait there already. A nil Fault lets its call pass.
func (b *Backend) Next(op Op, faults ...Fault) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.next[op] = append(b.next[op], faults...)
}

// All puts fault in the way of all calls of op for which [Backend.Next] has none,
// until it is called again; nil takes it away.
func (b *Backend) All(op Op, fault Fault) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.all[op] = fault
}

// AllOps is [Backend.All] for every method.
func (b *Backend) AllOps(fault Fault) {
	for op := range numOps {
		b.All(op, fault)
	}
}

// LoseGrants decides whether waiters that join from now on are told of nothing: no
// [backend.Grant] arrives, as with a connection that has died. They find out by
// asking.
func (b *Backend) LoseGrants(lose bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.deaf = lose
}

// Calls returns how many calls of op have begun, those that met a fault included.
func (b *Backend) Calls(op Op) int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.calls[op]
}

// fault takes the fault for one call of op, nil if there is none.
func (b *Backend) fault(op Op) Fault {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.calls[op]++
	if len(b.next[op]) == 0 {
		return b.all[op]
	}
	f := b.next[op][0]
	b.next[op] = b.next[op][1:]
	return f
}

func (b *Backend) do(ctx context.Context, op Op, call func(context.Context) error) error {
	if f := b.fault(op); f != nil {
		return f(ctx, call)
	}
	return call(ctx)
}

// Join implements [backend.Line], if the backend that is wrapped does.
func (b *Backend) Join(ctx context.Context, key, token string, ttl, claim time.Duration, told chan<- backend.Grant) (fence uint64, err error) {
	b.mu.Lock()
	if b.deaf {
		told = make(chan backend.Grant, 1)
	}
	b.mu.Unlock()
	err = b.do(ctx, SetNX, func(ctx context.Context) error {
		var err error
		fence, err = b.inner.(backend.Line).Join(ctx, key, token, ttl, claim, told)
		return err
	})
	if err != nil {
		fence = 0
	}
	return fence, err
}

// KeepsLine implements [backend.Line].
func (b *Backend) KeepsLine() bool { return backend.LineOf(b.inner) != nil }

// SetNX implements [backend.Backend].
func (b *Backend) SetNX(ctx context.Context, key, token string, ttl time.Duration) (fence uint64, err error) {
	err = b.do(ctx, SetNX, func(ctx context.Context) error {
		var err error
		fence, err = b.inner.SetNX(ctx, key, token, ttl)
		return err
	})
	if err != nil {
		fence = 0
	}
	return fence, err
}

// ExpireIfOwner implements [backend.Backend].
func (b *Backend) ExpireIfOwner(ctx context.Context, key, token string, ttl time.Duration) error {
	return b.do(ctx, ExpireIfOwner, func(ctx context.Context) error {
		return b.inner.ExpireIfOwner(ctx, key, token, ttl)
	})
}

// DeleteIfOwner implements [backend.Backend].
func (b *Backend) DeleteIfOwner(ctx context.Context, key, token string) error {
	return b.do(ctx, DeleteIfOwner, func(ctx context.Context) error {
		return b.inner.DeleteIfOwner(ctx, key, token)
	})
}
