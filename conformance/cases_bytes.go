package conformance

import (
	"errors"
	"strings"

	"github.com/dislock/dislock/backend"
)

// alike are bytes that a careless store takes for each other.
var alike = [][2]string{
	{"job-1", "job-10"},
	{"job-10", "job-1"},
	{"Case", "case"},
	{"space", "space "},
	{"space", " space"},
	{"line", "line\n"},
	{"nul", "nul\x00"},
	{"nul\x00a", "nul\x00b"},
	{"\xff", "\xfe"},
	{"\xff", "\uFFFD"},
	{"e\u0301", "\u00e9"},
	{"1", "01"},
	{"1", "1.0"},
	{"a/b", "a//b"},
	{"a/../b", "b"},
	{"a%20b", "a b"},
	{"{a}", "a"},
	{"}a", "a"},
	{"}", "{"},
	{"}", "\\}"},
	{"\\}", "\\\\}"},
	{"a}:fence", "a"},
	{"*", "?"},
	{strings.Repeat("k", 2000), strings.Repeat("k", 2000) + "k"},
}

var bytesCases = []kase{
	{
		name: "B8 tokens are bytes compared whole",
		rule: "B8: there is no folding, trimming or prefix matching of tokens.",
		run: func(c *C) {
			a, b := c.connect(), c.connect()
			for _, tokens := range alike {
				key := c.newKey()
				c.take(a, key, tokens[0], long)
				if fence, err := b.SetNX(c.ctx(), key, tokens[1], long); !errors.Is(err, backend.ErrHeld) {
					c.Fatalf("SetNX by token %.20q while %.20q holds the key: fence %d, error %v, want ErrHeld",
						tokens[1], tokens[0], fence, err)
				}
				c.notOwner(b, key, tokens[1])
				c.owns(a, key, tokens[0], long)
				c.release(a, key, tokens[0])
			}
		},
	},
	{
		name: "B8 keys are bytes and share nothing",
		rule: "B8: two different keys share nothing.",
		run: func(c *C) {
			a, b := c.connect(), c.connect()
			for _, keys := range alike {
				// The difference has to stand where it is, at the beginning or at
				// the end, so the part that makes these keys ours goes to the other.
				for _, place := range []func(string) string{
					func(k string) string { return k + c.key },
					func(k string) string { return c.key + k },
				} {
					one, two := place(keys[0]), place(keys[1])
					first, second := backend.NewToken("first"), backend.NewToken("second")
					c.take(a, one, first, long)
					c.notOwner(a, two, first)
					c.take(b, two, second, long)
					c.release(a, one, first)
					c.owns(b, two, second, long)
					c.release(b, two, second)
				}
			}
		},
	},
}
