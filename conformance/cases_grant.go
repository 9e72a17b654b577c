package conformance

import (
	"time"

	"github.com/dislock/dislock/backend"
)

// What who is first in line is given, and is told of. These run if there is a
// backend.Line.
var grantCases = []kase{
	{
		name: "L2 a grant is told once and to its owner",
		rule: "L2: who is given the key is told so at most once per lease, and nobody else is.",
		run: func(c *C) {
			holder, token := c.connect(), backend.NewToken("holder")
			c.take(holder, c.key, token, long)
			first, second := c.stand(c.key, 1), c.stand(c.key, 2)
			c.release(holder, c.key, token)
			c.turn("the turn of the first", first)
			c.quiet("the first, again", first)
			c.owns(first.line, c.key, first.token, long)
			c.quiet("the second", second)
			c.release(first.line, c.key, first.token)
			c.quiet("the first, when it had released", first)
			c.turn("the turn of the second", second)
		},
	},
	{
		name: "L3 a claim is a lease that ends by itself",
		rule: "L3: what is given is a lease of the length that its owner claimed, and it ends like any other.",
		run: func(c *C) {
			for _, kept := range []bool{false, true} {
				key := c.newKey()
				holder, token := c.connect(), backend.NewToken("holder")
				c.take(holder, key, token, long)
				p := c.standFor(claim, key, 1)
				sent := time.Now()
				c.release(holder, key, token)
				g := c.turn("the turn", p)
				lasts := claim
				if kept {
					if again := c.take(p.line, key, p.token, claim); again != g.Fence {
						c.Errorf("fence %d by asking with the same token, told was %d", again, g.Fence)
					}
					c.owns(p.line, key, p.token, 2*claim)
					lasts = 2 * claim
				}
				_, at := c.takeWhenFree(c.connect(), key, backend.NewToken("next"), long, lasts)
				if held := at.Sub(sent); held < lasts {
					c.Errorf("the key was free %v after it was given for %v", held, lasts)
				}
				c.notOwner(p.line, key, p.token)
			}
		},
	},
	{
		name: "L6 a lease began no earlier than is said",
		rule: "L6: the lease began no earlier than Grant.Began, so it lasts at least until Began and the claim.",
		run: func(c *C) {
			for range 3 {
				key := c.newKey()
				holder, token := c.connect(), backend.NewToken("holder")
				c.take(holder, key, token, long)
				stood := time.Now()
				p := c.standFor(claim, key, 1)
				time.Sleep(short)
				c.release(holder, key, token)
				g := c.turn("the turn", p)
				if g.Began.Before(stood) {
					c.Errorf("the lease is said to have begun %v before the token stood in line", stood.Sub(g.Began))
				}
				_, at := c.takeWhenFree(c.connect(), key, backend.NewToken("next"), long, claim)
				if early := g.Began.Add(claim).Sub(at); early > 0 {
					c.Errorf("the lease ended %v before Began and the claim", early)
				}
			}
		},
	},
	{
		name: "L7 who is not told finds its lease by asking",
		rule: "L7: a token that has been given the key finds its lease when it asks, with the fence it was given.",
		run: func(c *C) {
			holder, token := c.connect(), backend.NewToken("holder")
			before := c.take(holder, c.key, token, long)
			p := c.standFor(claim, c.key, 1)
			c.release(holder, c.key, token)
			fence, err := p.line.Join(c.ctx(), c.key, p.token, long, p.claim, p.told)
			if err != nil || fence <= before {
				c.Fatalf("Join by who has been given the key: fence %d after %d, error %v, want a larger one", fence, before, err)
			}
			time.Sleep(claim + claim/2)
			c.owns(p.line, c.key, p.token, long) // for the ttl, not for the claim
			if again := c.take(p.line, c.key, p.token, long); again != fence {
				c.Errorf("fence %d by asking again, want %d", again, fence)
			}
		},
	},
	{
		name: "L7 who does not listen holds nobody up",
		rule: "L7: whoever tells does not wait: if there is no room, what there is to tell is dropped.",
		run: func(c *C) {
			holder, token := c.connect(), backend.NewToken("holder")
			c.take(holder, c.key, token, long)
			first, second := c.stand(c.key, 1), c.stand(c.key, 2)
			backend.Tell(first.told, backend.Grant{})
			released := make(chan error, 1)
			go func() { released <- holder.DeleteIfOwner(c.ctx(), c.key, token) }()
			if err := within(c, "DeleteIfOwner while the next one does not listen", 0, released); err != nil {
				c.Fatalf("DeleteIfOwner by the owner: %v, want nil", err)
			}
			c.owns(first.line, c.key, first.token, long)
			c.release(first.line, c.key, first.token)
			c.turn("the turn of the second", second)
		},
	},
}
