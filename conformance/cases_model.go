package conformance

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"testing/synctest"
	"time"

	"github.com/dislock/dislock/backend"
)

// agree makes the calls that program says, one after the other, on clients of the
// store and on the model, and fails the case at the first difference. Two bytes
// are a call: what, and with which client, key, token, ttl and claim. A store in a
// bubble is also left alone for a while now and then, so that leases end by
// themselves, and joined, if it keeps a line; the clock of another one, and the way
// of its words, are not ours to predict.
func (c *C) agree(program []byte) {
	m := newModel()
	clients := c.clients(2)
	keys := []string{c.newKey(), c.newKey()}
	tokens := []string{backend.NewToken("a"), backend.NewToken("b"), backend.NewToken("")}
	ttls := []time.Duration{long, 2 * long}
	calls := []string{"SetNX", "ExpireIfOwner", "DeleteIfOwner", "none"}
	inLine := c.harness.Synctest && backend.LineOf(clients[0]) != nil
	if inLine {
		calls = append(calls, "Join", "Join", "Join") // often, or the lines stay short
	}
	if c.harness.Synctest {
		ttls = []time.Duration{time.Millisecond, 10 * time.Millisecond, long}
	}
	told := make(map[modelPlace]chan backend.Grant)
	for _, key := range keys {
		for _, token := range tokens {
			told[modelPlace{key, token}] = make(chan backend.Grant, 1)
		}
	}
	for i := 0; i+1 < len(program); i += 2 {
		call, args := calls[int(program[i])%len(calls)], int(program[i+1])
		b, key, token := clients[args&1], keys[args>>1&1], tokens[args>>2%3]
		ttl, claim := ttls[args>>4%len(ttls)], ttls[args>>6%len(ttls)]
		if call == "SetNX" && m.place(key, token) > 0 {
			call = "Join" // as the mutex does: who stands in line asks by Join
		}

		ctx, cancel := backend.Bounded(context.Background(), generous)
		var got, want error
		var wrong string
		var fence uint64
		now := time.Now()
		switch call {
		case "SetNX":
			fence, got = b.SetNX(ctx, key, token, ttl)
			wrong, want = m.setNX(key, token, ttl, fence, now)
			call += fmt.Sprintf(" for %v: fence %d", ttl, fence)
		case "ExpireIfOwner":
			got = b.ExpireIfOwner(ctx, key, token, ttl)
			want = m.expire(key, token, ttl, now)
			call += fmt.Sprintf(" for %v", ttl)
		case "DeleteIfOwner":
			got = b.DeleteIfOwner(ctx, key, token)
			want = m.delete(key, token, now)
		case "none":
			if c.harness.Synctest {
				time.Sleep(time.Duration(args) * time.Millisecond / 8)
			}
		case "Join":
			fence, got = b.(backend.Line).Join(ctx, key, token, ttl, claim, told[modelPlace{key, token}])
			wrong, want = m.join(key, token, ttl, claim, fence, standingIn(got), now)
			call += fmt.Sprintf(" for %v, with a claim of %v: fence %d", ttl, claim, fence)
		}
		cancel()
		if inLine && wrong == "" {
			synctest.Wait() // for those who tell
			wrong = m.hear(told, time.Now())
		}
		if !errors.Is(got, want) || wrong != "" {
			c.Fatalf("call %d of %x, %s: error %v, want %v; %s", i/2, program, call, got, want, wrong)
		}
	}
}

// standingIn returns what err says of the place in line, nothing if it is no refusal.
func standingIn(err error) standing {
	var held *backend.HeldError
	if errors.As(err, &held) {
		return standing{held.Place, held.New}
	}
	return standing{}
}

var modelCases = []kase{
	{
		name: "model agrees with random calls",
		rule: "B1, B3, B5, B7, B8, B9, and L1 to L7 of a line: whatever the order of the calls, the answers are those of the contract.",
		run: func(c *C) {
			seed := rand.Uint64()
			c.Logf("seed %d", seed)
			r := rand.New(rand.NewPCG(seed, 0))
			program := make([]byte, 600)
			if c.harness.Synctest { // where it costs nothing
				program = make([]byte, 3000)
			}
			for i := range program {
				program[i] = byte(r.Uint32())
			}
			c.agree(program)
		},
	},
}
