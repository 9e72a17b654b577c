package conformance

import "github.com/dislock/dislock/backend"

var harnessCases = []kase{
	{
		name: "harness connects many clients to one store",
		rule: "Without that, every other case proves nothing.",
		run: func(c *C) {
			if (c.harness.Dial == nil) != c.harness.InProcess {
				c.Errorf("a harness has a Dial, or it is InProcess, and not both")
			}
			a, b := c.connect(), c.connect()
			token := backend.NewToken("a")
			c.take(a, c.key, token, long)
			c.refused(b, c.key)
			c.release(a, c.key, token)
			c.take(b, c.key, backend.NewToken("b"), long)
			c.refused(a, c.key)
		},
	},
	{
		name: "harness keeps the line that it promises",
		rule: "Without that, no case about lines would run, and nobody would notice.",
		run: func(c *C) {
			if c.harness.Line && backend.LineOf(c.connect()) == nil {
				c.Errorf("the harness promises a backend.Line, and there is none")
			}
		},
	},
}
