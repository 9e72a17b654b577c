package conformance

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/dislock/dislock/backend"
)

// A model is the contract in a few lines: what every backend must agree with.
type model struct {
	leases map[string]modelLease
	fences map[string]uint64
}

type modelLease struct {
	token string
	fence uint64
	ends  time.Time
}

func (m *model) owner(key string, now time.Time) (modelLease, bool) {
	l, ok := m.leases[key]
	return l, ok && now.Before(l.ends)
}

// setNX returns what is wrong with the fence that the backend returned, and what
// its error must be.
func (m *model) setNX(key, token string, ttl time.Duration, fence uint64, now time.Time) (wrong string, want error) {
	l, held := m.owner(key, now)
	switch {
	case held && l.token != token:
		return "", backend.ErrHeld
	case held && fence != l.fence:
		wrong = fmt.Sprintf("the fence of the same lease was %d", l.fence)
	case !held && fence <= m.fences[key]:
		wrong = fmt.Sprintf("an earlier lease had fence %d", m.fences[key])
	}
	m.fences[key] = max(fence, m.fences[key])
	m.leases[key] = modelLease{token, fence, now.Add(ttl)}
	return wrong, nil
}

func (m *model) expire(key, token string, ttl time.Duration, now time.Time) error {
	l, held := m.owner(key, now)
	if !held || l.token != token {
		return backend.ErrNotOwner
	}
	m.leases[key] = modelLease{token, l.fence, now.Add(ttl)}
	return nil
}

func (m *model) delete(key, token string, now time.Time) error {
	if l, held := m.owner(key, now); !held || l.token != token {
		return backend.ErrNotOwner
	}
	delete(m.leases, key)
	return nil
}

// agree makes the calls that program says, one after the other, on clients of the
// store and on the model, and fails the case at the first difference. Two bytes
// are a call: what, and with which client, key, token and ttl. A store in a bubble
// is also left alone for a while now and then, so that leases end by themselves;
// the clock of another one is not ours to predict.
func (c *C) agree(program []byte) {
	m := &model{leases: make(map[string]modelLease), fences: make(map[string]uint64)}
	clients := c.clients(2)
	keys := []string{c.newKey(), c.newKey()}
	tokens := []string{backend.NewToken("a"), backend.NewToken("b"), backend.NewToken("")}
	ttls := []time.Duration{long, 2 * long}
	if c.harness.Synctest {
		ttls = []time.Duration{time.Millisecond, 10 * time.Millisecond, long}
	}
	for i := 0; i+1 < len(program); i += 2 {
		op, args := program[i], int(program[i+1])
		b, key, token := clients[args&1], keys[args>>1&1], tokens[args>>2%3]
		ttl := ttls[args>>4%len(ttls)]

		ctx, cancel := backend.Bounded(context.Background(), generous)
		var call string
		var got, want error
		var wrong string
		switch now := time.Now(); op % 4 {
		case 0:
			var fence uint64
			fence, got = b.SetNX(ctx, key, token, ttl)
			wrong, want = m.setNX(key, token, ttl, fence, now)
			call = fmt.Sprintf("SetNX for %v: fence %d", ttl, fence)
		case 1:
			got = b.ExpireIfOwner(ctx, key, token, ttl)
			want = m.expire(key, token, ttl, now)
			call = fmt.Sprintf("ExpireIfOwner for %v", ttl)
		case 2:
			got = b.DeleteIfOwner(ctx, key, token)
			want = m.delete(key, token, now)
			call = "DeleteIfOwner"
		case 3:
			if c.harness.Synctest {
				time.Sleep(time.Duration(args) * time.Millisecond / 8)
			}
		}
		cancel()
		if !errors.Is(got, want) || wrong != "" {
			c.Fatalf("call %d of %x, %s: error %v, want %v; %s", i/2, program, call, got, want, wrong)
		}
	}
}

var modelCases = []kase{
	{
		name: "model agrees with random calls",
		rule: "B1, B3, B5, B7, B8, B9: whatever the order of the calls, the answers are those of the contract.",
		run: func(c *C) {
			seed := rand.Uint64()
			c.Logf("seed %d", seed)
			r := rand.New(rand.NewPCG(seed, 0))
			program := make([]byte, 600)
			for i := range program {
				program[i] = byte(r.Uint32())
			}
			c.agree(program)
		},
	},
}
