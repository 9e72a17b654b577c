package conformance

import (
	"time"

	"github.com/dislock/dislock/backend"
)

// What a lease is known by: its token, and its fence.
var fenceCases = []kase{
	{
		name: "B7 asking again with the same token gets the same lease",
		rule: "B7: SetNX by the token that owns the key succeeds, restarts the ttl and returns the same fence.",
		run: func(c *C) {
			a, b := c.connect(), c.connect()
			token := backend.NewToken("a")
			first := c.take(a, c.key, token, 20*short)
			time.Sleep(short)
			for _, again := range []backend.Backend{a, b} {
				fence, err := again.SetNX(c.ctx(), c.key, token, 20*short)
				if err != nil || fence != first {
					c.Fatalf("SetNX by the token that owns the key: fence %d, error %v, want fence %d", fence, err, first)
				}
			}
			sent := time.Now()
			if _, err := a.SetNX(c.ctx(), c.key, token, 20*short); err != nil {
				c.Fatalf("SetNX by the token that owns the key: %v, want nil", err)
			}
			_, free := c.takeWhenFree(b, c.key, backend.NewToken("b"), long, 20*short)
			if lasted := free.Sub(sent); lasted < 20*short {
				c.Errorf("a lease whose ttl of %v was restarted was over after %v", 20*short, lasted)
			}
		},
	},
	{
		name: "B9 each new lease has a larger fence",
		rule: "B9: each new lease on a key has a larger fence than every earlier one, after a release and after an expiry.",
		run: func(c *C) {
			bs := c.clients(3)
			last := uint64(0)
			for i := range 12 {
				token := backend.NewToken("a")
				ttl := long
				if i%4 == 3 {
					ttl = short // this one is left to end by itself
				}
				fence, _ := c.takeWhenFree(bs[i%len(bs)], c.key, token, ttl, short)
				if fence <= last {
					c.Fatalf("lease %d has fence %d, the one before had %d", i, fence, last)
				}
				last = fence
				if ttl == long {
					c.release(bs[(i+1)%len(bs)], c.key, token)
				}
			}
		},
	},
	{
		name:  "B9 fences grow over the loss of the store's data",
		rule:  "B9: a counter that was lost must not start again below.",
		alone: true,
		run: func(c *C) {
			if c.store.Wipe == nil {
				return
			}
			b := c.connect()
			last := uint64(0)
			for i := range 5 {
				token := backend.NewToken("a")
				fence := c.take(b, c.key, token, long)
				if fence <= last {
					c.Fatalf("after %d losses of all data the fence is %d, before it was %d", i, fence, last)
				}
				last = fence
				c.store.Wipe(c.TB)
				c.notOwner(b, c.key, token)
				time.Sleep(poll) // a counter may start anew from the store's clock
			}
		},
	},
}
