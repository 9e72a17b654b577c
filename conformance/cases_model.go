package conformance

import (
	"math/rand/v2"
	"testing/synctest"
	"time"

	"github.com/dislock/dislock/backend"
)

// A world is what surrounds a store while a program runs on it.
type world struct {
	unit  time.Duration // how long the shortest lease is
	slack time.Duration // by how much leases may seem to end early, and be dated early
	knows bool          // refusals say who holds the key, and for how long

	// now is the time by which leases end, and pass lets some of it go by. Without
	// them none does, nobody joins, and leases end only when they are released.
	now  func() time.Time
	pass func(d time.Duration, leases map[string]modelLease)

	// settle returns when who was told something has heard it. If anybody should have
	// been, it is on told.
	settle func(told <-chan backend.Grant)

	// over returns when all who were told anything have heard it. It may be nil if
	// settle says that much.
	over func()
}

// bubble is the world of a store in a bubble of synctest.
var bubble = world{
	unit:   time.Millisecond,
	now:    time.Now,
	pass:   func(d time.Duration, _ map[string]modelLease) { time.Sleep(d) },
	settle: func(<-chan backend.Grant) { synctest.Wait() },
}

// still is that of a store whose clock, and the way of its words, are not ours to
// predict.
var still = world{unit: long, now: time.Now}

var modelCases = []kase{
	{
		name: "model agrees with random calls",
		rule: "B1, B3, B5, B7, B8, B9, and L1 to L7 of a line: whatever the order of the calls, the answers are those of the contract.",
		run: func(c *C) {
			seed := rand.Uint64()
			c.Logf("seed %d", seed)
			r := rand.New(rand.NewPCG(seed, 0))
			w, program := still, make([]byte, 600)
			if c.harness.Synctest { // where it costs nothing
				w, program = bubble, make([]byte, 3000)
			}
			for i := range program {
				program[i] = byte(r.Uint32())
			}
			c.agree(program, w)
		},
	},
}
