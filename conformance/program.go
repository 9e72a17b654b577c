package conformance

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/dislock/dislock/backend"
)

// A program is a row of calls, made one after the other on two clients of a store and
// on the model.
//
// Its tokens keep to what the mutex promises: each is for one key, and as long as it
// stands in line it asks and leaves through one client, always with the same claim.
type program struct {
	*C
	world
	model   *model
	clients []backend.Backend
	keys    []string
	tokens  [][]string // of each key
	told    map[modelPlace]chan backend.Grant
	calls   []string
}

// agree makes the calls that code says and fails the case at the first difference.
// Two bytes are a call: what, and with which client, key, token and ttl. In the end
// every token leaves.
func (c *C) agree(code []byte, w world) {
	p := &program{C: c, world: w, model: newModel(), clients: c.clients(2), told: make(map[modelPlace]chan backend.Grant)}
	for range 2 {
		p.keys = append(p.keys, c.newKey())
		p.tokens = append(p.tokens, []string{backend.NewToken("a"), backend.NewToken("b"), backend.NewToken("")})
	}
	p.calls = []string{"SetNX", "ExpireIfOwner", "DeleteIfOwner", "none"}
	if p.pass != nil && backend.LineOf(p.clients[0]) != nil {
		p.calls = append(p.calls, "Join", "Join", "Join") // often, or the lines stay short
		for k, key := range p.keys {
			for _, token := range p.tokens[k] {
				p.told[modelPlace{key, token}] = make(chan backend.Grant, 1)
			}
		}
	}
	for i := 0; i+1 < len(code); i += 2 {
		if wrong := p.call(p.calls[int(code[i])%len(p.calls)], int(code[i+1])); wrong != "" {
			c.Fatalf("call %d of %x, %s", i/2, code, wrong)
		}
	}
	for args := range 8 {
		if wrong := p.call("DeleteIfOwner", args<<1); wrong != "" {
			c.Fatalf("at the end of %x, %s", code, wrong)
		}
	}
	if p.over != nil {
		p.over()
		if wrong := p.model.hear(p.told, time.Now(), p.slack); wrong != "" {
			c.Fatalf("after the end of %x, %s", code, wrong)
		}
	}
}

// call makes one call and returns what is wrong with the answer.
func (p *program) call(call string, args int) (wrong string) {
	k, t := args>>1&1, args>>2&3%3
	key, token := p.keys[k], p.tokens[k][t]
	ttls := []time.Duration{p.unit, 10 * p.unit, 100 * p.unit, 1000 * p.unit}
	ttl, claim := ttls[args>>4&3], ttls[t]
	b, own := p.clients[args&1], p.clients[t&1]
	if p.model.place(key, token) > 0 {
		b = own
		if call == "SetNX" {
			call = "Join" // as the mutex does
		}
	}

	ctx, cancel := backend.Bounded(context.Background(), generous)
	defer cancel()
	var got, want error
	var fence uint64
	now := p.now()
	switch call {
	case "SetNX":
		fence, got = b.SetNX(ctx, key, token, ttl)
		wrong, want = p.model.setNX(key, token, ttl, fence, now)
		call += fmt.Sprintf(" for %v: fence %d", ttl, fence)
	case "ExpireIfOwner":
		if args>>6 == 3 {
			token = p.tokens[1-k][t] // a stranger's
		}
		got = b.ExpireIfOwner(ctx, key, token, ttl)
		want = p.model.expire(key, token, ttl, now)
		call += fmt.Sprintf(" for %v", ttl)
	case "DeleteIfOwner":
		if _, held := p.model.owner(key, now); !held && len(p.model.lines[key]) > 0 && p.model.place(key, token) == 0 {
			return "" // whether a stranger sets a line moving is for the store to say
		}
		got = b.DeleteIfOwner(ctx, key, token)
		want = p.model.delete(key, token, now)
	case "none":
		if p.pass != nil {
			p.pass(time.Duration(args)*p.unit/8, p.model.leases)
		}
	case "Join":
		ttl = max(ttl, claim)
		fence, got = own.(backend.Line).Join(ctx, key, token, ttl, claim, p.told[modelPlace{key, token}])
		wrong, want = p.model.join(key, token, ttl, claim, fence, standingIn(got), now)
		call += fmt.Sprintf(" for %v, with a claim of %v: fence %d", ttl, claim, fence)
	}
	if wrong == "" && p.knows && want == backend.ErrHeld {
		wrong = p.model.refusal(key, got, now, p.slack)
	}
	if wrong == "" && len(p.told) > 0 {
		p.settle(p.told[p.model.given])
		wrong = p.model.hear(p.told, time.Now(), p.slack)
	}
	if !errors.Is(got, want) || wrong != "" {
		return fmt.Sprintf("%s: error %v, want %v; %s", call, got, want, wrong)
	}
	return ""
}

// standingIn returns what err says of the place in line, nothing if it is no refusal.
func standingIn(err error) standing {
	var held *backend.HeldError
	if errors.As(err, &held) {
		return standing{held.Place, held.New}
	}
	return standing{}
}
