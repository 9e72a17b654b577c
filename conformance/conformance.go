// Package conformance decides what a backend of dislock is: whoever passes [Run]
// works under a dislock.Mutex. It has a named case for every clause of package
// backend, and one for every behaviour of the mutex that hangs on its store.
//
// A backend's test is a few lines:
//
//	func TestConformance(t *testing.T) {
//		conformance.Run(t, conformance.Harness{
//			Open: func(tb testing.TB) conformance.Store {
//				server := startServer(tb)
//				return conformance.Store{
//					Connect: func(tb testing.TB) backend.Backend { return mybackend.New(dial(tb, server)) },
//					Wipe:    func(tb testing.TB) { server.DropAll(tb) },
//				}
//			},
//			Dial: func(tb testing.TB, addr string) backend.Backend { return mybackend.New(dial(tb, addr)) },
//		})
//	}
//
// Nothing is skipped: what a backend can not offer, its harness has to say.
//
// The cases run in parallel where they can and mostly wait, so that
// go test -parallel 16 is a good deal faster. Their lower bounds are strict and
// their upper bounds are generous: a failure is a bug, in the backend or here.
package conformance

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/dislock/dislock/backend"
)

// A Harness is how the suite reaches the backend under test.
type Harness struct {
	// Open returns the store to test against. It is called once for each case and
	// may return the same store each time: every case uses keys of its own.
	Open func(tb testing.TB) Store

	// Dial returns a client of the server at a TCP address. The suite has it talk to
	// a server that has stopped answering. The client is the driver at its
	// defaults, as far as they concern timeouts and contexts.
	Dial func(tb testing.TB, addr string) backend.Backend

	// InProcess says that there is no server to dial. It is the only reason to
	// leave out Dial.
	InProcess bool

	// Line promises that the backend is a [backend.Line]. If it is one, that part is
	// tested, promised or not; if it is promised it has to be there.
	Line bool

	// Synctest runs each case in a bubble of package testing/synctest, in which
	// waiting costs nothing. It is for stores that live in this process and take
	// their time from package time.
	Synctest bool
}

// A Store is one store with many clients.
type Store struct {
	// Connect returns one more client of the store. Clients share nothing but the
	// store: each has a connection of its own, where there are connections.
	Connect func(tb testing.TB) backend.Backend

	// Wipe loses all that the store holds, as FLUSHALL does. Leave it out only for a
	// store that can not lose anything.
	Wipe func(tb testing.TB)
}

// Run tests the backend behind h. It fails if a case fails.
func Run(t *testing.T, h Harness) {
	all := cases()
	if h.keepsLine(t) {
		all = append(all, casesInLine()...)
	}
	for _, k := range all {
		if k.needs != nil && !k.needs(h) {
			continue
		}
		t.Run(k.name, func(t *testing.T) {
			if !k.alone {
				t.Parallel()
			}
			if h.Synctest {
				synctest.Test(t, func(t *testing.T) { k.run(newC(t, h, k)) })
				return
			}
			k.run(newC(t, h, k))
		})
	}
}

// keepsLine reports whether the backend is a [backend.Line], promised or not.
func (h Harness) keepsLine(t *testing.T) (keeps bool) {
	look := func(t *testing.T) { keeps = backend.LineOf(h.Open(t).Connect(t)) != nil }
	if h.Synctest {
		synctest.Test(t, look)
	} else {
		look(t)
	}
	return keeps
}

// A kase is one fact that must hold. Its name begins with the clause, or with
// "mutex" where the fact is about the mutex on top of the backend.
type kase struct {
	name  string
	rule  string             // printed when the case fails
	alone bool               // it disturbs others, or is disturbed by them
	needs func(Harness) bool // nil: every harness has what it takes
	run   func(c *C)
}

func cases() []kase {
	var all []kase
	all = append(all, harnessCases...)
	all = append(all, leaseCases...)
	all = append(all, endCases...)
	all = append(all, fenceCases...)
	all = append(all, bytesCases...)
	all = append(all, callCases...)
	all = append(all, modelCases...)
	all = append(all, mutexCases...)
	all = append(all, holdingCases...)
	all = append(all, crowdCases...)
	return all
}

// casesInLine returns what a [backend.Line] must do besides.
func casesInLine() []kase {
	var all []kase
	all = append(all, lineCases...)
	all = append(all, leaveCases...)
	all = append(all, grantCases...)
	all = append(all, turnCases...)
	return all
}

// C is what a case works with.
type C struct {
	testing.TB
	harness Harness
	store   Store
	rule    string
	key     string // of this case alone
}

var keys atomic.Int64

func newC(tb testing.TB, h Harness, k kase) *C {
	c := &C{TB: tb, harness: h, rule: k.rule}
	c.key = c.newKey()
	c.Cleanup(func() {
		if c.Failed() {
			c.Logf("the rule: %s", c.rule)
		}
	})
	c.store = h.Open(tb)
	return c
}

// newKey returns a key that no other case uses, in this run or in another one.
func (c *C) newKey() string {
	return fmt.Sprintf("conformance:%s:%d", backend.NewToken("")[1:], keys.Add(1))
}

func (c *C) connect() backend.Backend { return c.store.Connect(c.TB) }

// ctx returns a context that bounds one call, far above what any call takes.
func (c *C) ctx() context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), generous)
	c.Cleanup(cancel)
	return ctx
}
