package conformance

import (
	"sync"

	"github.com/dislock/dislock/backend"
)

// Leaving the line. These run if there is a backend.Line.
var leaveCases = []kase{
	{
		name: "L5 who leaves is out of the line",
		rule: "L5: who calls DeleteIfOwner leaves the line.",
		run: func(c *C) {
			holder, token := c.connect(), backend.NewToken("holder")
			c.take(holder, c.key, token, long)
			first, second := c.stand(c.key, 1), c.stand(c.key, 2)
			c.leave(first)
			if n := c.ask(second); n != 1 {
				c.Errorf("when the first has left the second has place %d, want 1", n)
			}
			c.release(holder, c.key, token)
			c.turn("the turn of the second", second)
			c.quiet("the one that has left", first)
			c.leave(first)
			c.owns(second.line, c.key, second.token, long)
		},
	},
	{
		name: "L5 who leaves passes on what it was given",
		rule: "L5: if who leaves has been given the key, told or not, the next in line has it.",
		run: func(c *C) {
			holder, token := c.connect(), backend.NewToken("holder")
			c.take(holder, c.key, token, long)
			first, second := c.stand(c.key, 1), c.stand(c.key, 2)
			c.release(holder, c.key, token)
			c.release(first.line, c.key, first.token)
			c.turn("the turn of the second", second)
			c.owns(second.line, c.key, second.token, long)
		},
	},
	{
		name: "L5 who leaves a free key sets the line moving",
		rule: "L5: the next in line has it, also if the key has become free by itself and nobody else has asked.",
		run: func(c *C) {
			first, second := c.orphans()
			c.leave(first)
			c.turn("the turn of the second", second)
		},
	},
	{
		name: "L5 who leaves as it is given the key does not keep it",
		rule: "B2, L5: to find that the token does not hold the key, and to take it out of the line, is one step.",
		run: func(c *C) {
			holder, leaver := c.connect(), c.connect()
			for range 50 {
				token := backend.NewToken("holder")
				c.take(holder, c.key, token, long)
				p := c.standOn(leaver, long, c.key, 1)
				var both sync.WaitGroup
				both.Go(func() {
					if err := holder.DeleteIfOwner(c.ctx(), c.key, token); err != nil {
						c.Errorf("DeleteIfOwner by the owner: %v, want nil", err)
					}
				})
				both.Go(func() { _ = leaver.DeleteIfOwner(c.ctx(), c.key, p.token) }) // it may hold the key by now
				both.Wait()
				next := backend.NewToken("next")
				c.take(holder, c.key, next, long)
				c.release(holder, c.key, next)
			}
		},
	},
}
