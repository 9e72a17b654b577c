package conformance

import (
	"context"
	"errors"
	"io"
	"net"
	"slices"
	"strings"
	"time"

	"github.com/dislock/dislock/backend"
)

// The ways in which a line can be broken.
var lineZoo = []animal{
	{
		name:    "promises a line and keeps none",
		caught:  "harness keeps the line that it promises",
		harness: func() Harness { h := toyHarness(nil); h.Line = true; return h },
	},
	{
		name:      "has a line and says that it keeps none",
		caught:    "harness keeps the line that it promises",
		breakLine: func(c *lineClient) { c.keeps = false },
	},
	{
		name:   "gives the key to who came last",
		caught: "L1 a released key goes to who has waited longest",
		breakLine: func(c *lineClient) {
			c.handOver = func(key string) {
				slices.Reverse(c.lines[key])
				c.soundHandOver(key)
				slices.Reverse(c.lines[key])
			}
		},
	},
	{
		name:   "gives the key away some time after the release",
		caught: "L1 a released key goes to who has waited longest",
		breakLine: func(c *lineClient) {
			c.handOver = func(key string) {
				c.del(key)
				time.AfterFunc(gap, func() { c.step(func() { c.soundHandOver(key) }) })
			}
		},
	},
	{
		name:   "frees the key, then gives it away",
		caught: "L1 a released key is not free while somebody waits",
		breakLine: func(c *lineClient) {
			c.end = func(ctx context.Context, key, token string) error {
				err := c.soundEnd(ctx, key, token)
				time.Sleep(gap)
				if errors.Is(err, backend.ErrNotOwner) {
					return c.soundLeave(ctx, key, token)
				}
				c.step(func() {
					if _, held := c.get(key); !held {
						c.handOver(key)
					}
				})
				return err
			}
		},
	},
	{
		name:   "lets whoever asks take a key that became free",
		caught: "L1 a key that became free goes to the first in line whoever asks",
		breakLine: func(c *lineClient) {
			c.join = func(ctx context.Context, q question) (uint64, error) {
				fence, err := c.soundSetNX(ctx, q.key, q.token, q.ttl)
				c.step(func() {
					if v, held := c.get(q.key); held && v.token != q.token {
						err = c.refuse(v, q)
						return
					}
					c.remove(q.key, q.token)
				})
				return fence, err
			}
		},
	},
	{
		name:   "gives a free key only by telling",
		caught: "L1 the first in line takes a key that became free",
		breakLine: func(c *lineClient) {
			c.join = func(ctx context.Context, q question) (fence uint64, err error) {
				c.step(func() {
					if _, held := c.get(q.key); !held && c.place(q.key, q.token) == 1 {
						c.handOver(q.key)
						v, _ := c.get(q.key)
						err = backend.Held(v.token, q.claim)
					}
				})
				if err != nil {
					return 0, err
				}
				return c.soundJoin(ctx, q)
			}
		},
	},
	{
		name:   "leaves who took the key in line",
		caught: "L1 the first in line takes a key that became free",
		breakLine: func(c *lineClient) {
			c.join = func(ctx context.Context, q question) (uint64, error) {
				stood := c.place(q.key, q.token) > 0
				fence, err := c.soundJoin(ctx, q)
				if stood && err == nil {
					c.step(func() { c.lines[q.key] = slices.Insert(c.lines[q.key], 0, q) })
				}
				return fence, err
			}
		},
	},
	{
		name:   "tells twice",
		caught: "L2 a grant is told once and to its owner",
		breakLine: func(c *lineClient) {
			c.tell = func(q question, g backend.Grant) {
				backend.Tell(q.told, g)
				time.AfterFunc(short/2, func() { backend.Tell(q.told, g) })
			}
		},
	},
	{
		name:   "tells everybody",
		caught: "L2 a grant is told once and to its owner",
		breakLine: func(c *lineClient) {
			c.tell = func(q question, g backend.Grant) {
				for _, other := range append(slices.Clone(c.lines[q.key]), q) {
					backend.Tell(other.told, g)
				}
			}
		},
	},
	{
		name:   "gives the key without an end",
		caught: "L3 a claim is a lease that ends by itself",
		breakLine: func(c *lineClient) {
			c.give = func(q question) {
				c.soundGive(q)
				v, _ := c.get(q.key)
				v.ends = time.Time{}
				c.set(q.key, v)
			}
		},
	},
	{
		name:      "gives the key for half of what was claimed",
		caught:    "L3 a claim is a lease that ends by itself",
		breakLine: func(c *lineClient) { c.give = func(q question) { q.claim /= 2; c.soundGive(q) } },
	},
	{
		name:      "gives the key for the ttl and not for the claim",
		caught:    "L3 a claim is a lease that ends by itself",
		breakLine: func(c *lineClient) { c.give = func(q question) { q.claim = q.ttl; c.soundGive(q) } },
	},
	{
		name:   "sends who asks again to the end of the line",
		caught: "L4 asking again keeps the place",
		breakLine: func(c *lineClient) {
			c.push = func(q question) int {
				c.remove(q.key, q.token)
				return c.soundPush(q)
			}
		},
	},
	{
		name:   "has who asks again in line twice",
		caught: "L4 asking again keeps the place",
		breakLine: func(c *lineClient) {
			c.push = func(q question) int {
				c.lines[q.key] = append(c.lines[q.key], q)
				return len(c.lines[q.key])
			}
		},
	},
	{
		name:   "calls nobody new",
		caught: "L4 who is new in line is told so",
		breakLine: func(c *lineClient) {
			c.join = c.answering(func(held *backend.HeldError) { held.New = false })
		},
	},
	{
		name:   "calls everybody new",
		caught: "L4 who is new in line is told so",
		breakLine: func(c *lineClient) {
			c.join = c.answering(func(held *backend.HeldError) { held.New = true })
		},
	},
	{
		name:   "calls only those new that it does not remember",
		caught: "L4 who is new in line is told so",
		breakLine: func(c *lineClient) {
			seen := make(map[string]bool)
			c.join = func(ctx context.Context, q question) (uint64, error) {
				defer func() { seen[q.token] = true }()
				return c.answering(func(held *backend.HeldError) { held.New = !seen[q.token] })(ctx, q)
			}
		},
	},
	{
		name:   "does not let anybody leave",
		caught: "L5 who leaves is out of the line",
		breakLine: func(c *lineClient) {
			c.end = func(ctx context.Context, key, token string) error {
				return c.ifOwner(ctx, key, token, func() { c.handOver(key) })
			}
		},
	},
	{
		name:   "passes on only what was taken by asking",
		caught: "L5 who leaves passes on what it was given",
		breakLine: func(c *lineClient) {
			asked := make(map[string]bool)
			c.setNX = func(ctx context.Context, key, token string, ttl time.Duration) (uint64, error) {
				asked[token] = true
				return c.soundSetNX(ctx, key, token, ttl)
			}
			c.end = func(ctx context.Context, key, token string) error {
				if !asked[token] {
					return c.soundEnd(ctx, key, token)
				}
				return c.soundLeave(ctx, key, token)
			}
		},
	},
	{
		name:   "leaves a free key to those who ask for it",
		caught: "L5 who leaves a free key sets the line moving",
		breakLine: func(c *lineClient) {
			c.end = func(ctx context.Context, key, token string) error {
				err := c.ifOwner(ctx, key, token, func() { c.handOver(key) })
				if errors.Is(err, backend.ErrNotOwner) {
					c.step(func() { c.remove(key, token) })
				}
				return err
			}
		},
	},
	{
		name:   "looks whose the key is, then lets go of the place",
		caught: "L5 who leaves as it is given the key does not keep it",
		breakLine: func(c *lineClient) {
			c.end = func(ctx context.Context, key, token string) error {
				err := c.ifOwner(ctx, key, token, func() { c.handOver(key) })
				if errors.Is(err, backend.ErrNotOwner) {
					time.Sleep(gap)
					c.step(func() { c.remove(key, token) })
				}
				return err
			}
		},
	},
	{
		name:   "now and then lets somebody push in",
		caught: "model agrees with random calls",
		breakLine: func(c *lineClient) {
			calls := 0
			c.push = func(q question) int {
				if calls++; calls%4 == 0 {
					c.remove(q.key, q.token)
					c.lines[q.key] = slices.Insert(c.lines[q.key], 0, q)
				}
				return c.soundPush(q)
			}
		},
	},
	{
		name:   "tells the one behind the one it means",
		caught: "model agrees with random calls",
		breakLine: func(c *lineClient) {
			c.tell = func(q question, g backend.Grant) {
				if behind := c.lines[q.key]; len(behind) > 0 {
					q = behind[0]
				}
				backend.Tell(q.told, g)
			}
		},
	},
	{
		name:   "says that a lease began when the word of it arrived",
		caught: "L6 a lease began no earlier than is said",
		breakLine: func(c *lineClient) {
			c.tell = func(q question, g backend.Grant) {
				time.AfterFunc(short, func() { backend.Tell(q.told, backend.Grant{Fence: g.Fence, Began: time.Now()}) })
			}
		},
	},
	{
		name:   "does not say when a lease began",
		caught: "L6 a lease began no earlier than is said",
		breakLine: func(c *lineClient) {
			c.tell = func(q question, g backend.Grant) { backend.Tell(q.told, backend.Grant{Fence: g.Fence}) }
		},
	},
	{
		name:   "refuses who has been given the key",
		caught: "L7 who is not told finds its lease by asking",
		breakLine: func(c *lineClient) {
			c.join = func(ctx context.Context, q question) (fence uint64, err error) {
				c.step(func() {
					if v, held := c.get(q.key); held && v.token == q.token {
						err = c.refuse(v, q)
					}
				})
				if err != nil {
					return 0, err
				}
				return c.soundJoin(ctx, q)
			}
		},
	},
	{
		name:   "gives who asks for what it was given another fence",
		caught: "L7 who is not told finds its lease by asking",
		breakLine: func(c *lineClient) {
			c.setNX = func(ctx context.Context, key, token string, ttl time.Duration) (uint64, error) {
				if v, held := c.get(key); held && v.token == token {
					v.fence = c.incr(key)
					c.set(key, v)
				}
				return c.soundSetNX(ctx, key, token, ttl)
			}
		},
	},
	{
		name:   "leaves who asks for what it was given the claim, and not the ttl",
		caught: "L7 who is not told finds its lease by asking",
		breakLine: func(c *lineClient) {
			c.join = func(ctx context.Context, q question) (uint64, error) {
				if v, held := c.get(q.key); held && v.token == q.token {
					return v.fence, nil
				}
				return c.soundJoin(ctx, q)
			}
		},
	},
	{
		name:   "waits for whom it tells",
		caught: "L7 who does not listen holds nobody up",
		breakLine: func(c *lineClient) {
			c.tell = func(q question, g backend.Grant) {
				select {
				case q.told <- g:
				case <-time.After(2 * generous): // for ever, but that the zoo goes on
				}
			}
		},
	},
	{
		name:   "does not look at ctx before it gives a place",
		caught: "B10 a done ctx takes no place in line",
		breakLine: func(c *lineClient) {
			c.join = func(ctx context.Context, q question) (uint64, error) {
				if _, err := c.soundJoin(context.Background(), q); err != nil && ctx.Err() == nil {
					return 0, err
				}
				return c.soundJoin(ctx, q)
			}
		},
	},
	{
		name:   "goes to the end of the line in the background",
		caught: "B10 a done ctx takes no place in line",
		breakLine: func(c *lineClient) {
			c.join = func(ctx context.Context, q question) (uint64, error) {
				if ctx.Err() != nil {
					go c.soundJoin(context.Background(), q)
					return 0, ctx.Err()
				}
				return c.soundJoin(ctx, q)
			}
		},
	},
	{
		name:    "Join waits for the server whatever ctx says",
		caught:  "B10 a call returns when its ctx ends though the server is silent",
		harness: deafJoinHarness,
	},
	{
		name:      "has one line for all keys",
		caught:    "B8 lines are of keys and tokens that are bytes",
		breakLine: func(c *lineClient) { c.line = func(string) string { return "the line" } },
	},
	{
		name:   "cuts keys at a zero byte",
		caught: "B8 lines are of keys and tokens that are bytes",
		breakLine: func(c *lineClient) {
			c.line = func(key string) string { key, _, _ = strings.Cut(key, "\x00"); return key }
		},
	},
	{
		name:      "keeps a token as a part between colons",
		caught:    "B8 lines are of keys and tokens that are bytes",
		breakLine: func(c *lineClient) { c.readTokens(func(s string) string { return strings.SplitN(s, ":", 2)[0] }) },
	},
	{
		name:      "trims the tokens in line",
		caught:    "B8 lines are of keys and tokens that are bytes",
		breakLine: func(c *lineClient) { c.readTokens(strings.TrimSpace) },
	},
	{
		name:      "folds the tokens in line",
		caught:    "B8 lines are of keys and tokens that are bytes",
		breakLine: func(c *lineClient) { c.readTokens(strings.ToUpper) },
	},
}

// answering returns a Join that is sound but for how it refuses.
func (c *lineClient) answering(refuse func(held *backend.HeldError)) func(context.Context, question) (uint64, error) {
	return func(ctx context.Context, q question) (uint64, error) {
		fence, err := c.soundJoin(ctx, q)
		var held *backend.HeldError
		if errors.As(err, &held) {
			refuse(held)
		}
		return fence, err
	}
}

// readTokens has c read other tokens out of a line than stand there.
func (c *lineClient) readTokens(read func(token string) string) {
	c.give = func(q question) {
		q.token = read(q.token)
		c.soundGive(q)
	}
}

// deafJoinHarness has clients whose Join, and nothing else, never looks at ctx.
func deafJoinHarness() Harness {
	return dialHarness(func(conn net.Conn) backend.Backend {
		c := newLineClient(newToy(), 1)
		speak := func(ctx context.Context) error {
			_, _ = conn.Write([]byte("?"))
			<-ctx.Done()
			return ctx.Err()
		}
		c.setNX = func(ctx context.Context, _, _ string, _ time.Duration) (uint64, error) { return 0, speak(ctx) }
		c.extend = func(ctx context.Context, _, _ string, _ time.Duration) error { return speak(ctx) }
		c.end = func(ctx context.Context, _, _ string) error { return speak(ctx) }
		c.join = func(context.Context, question) (uint64, error) {
			_, err := io.ReadAll(conn)
			return 0, err
		}
		return c
	})
}
