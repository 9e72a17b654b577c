package conformance

import (
	"errors"
	"strings"
	"sync"
	"time"

	"github.com/dislock/dislock/backend"
)

// What a lease is: alone, taken and ended in one step, and known to the store only.
var leaseCases = []kase{
	{
		name: "B1 a key has one lease at a time",
		rule: "B1: a key has at most one living lease.",
		run: func(c *C) {
			const clients, visits = 6, 10
			var w witness
			var all sync.WaitGroup
			for range clients {
				b := c.connect()
				all.Go(func() {
					for range visits {
						token := backend.NewToken("visitor")
						if !c.takeSoon(b, c.key, token) {
							return
						}
						w.visit(poll / 2)
						if err := b.DeleteIfOwner(c.ctx(), c.key, token); err != nil {
							c.Errorf("DeleteIfOwner by the owner: %v, want nil", err)
							return
						}
					}
				})
			}
			all.Wait()
			w.testify(c, clients*visits)
		},
	},
	{
		name: "B1 who is refused is told the truth",
		rule: "B1: a HeldError names the holder's label and what is left of its lease, and never shows the token.",
		run: func(c *C) {
			a, b := c.connect(), c.connect()
			token := backend.NewToken("the holder")
			const ttl = time.Minute
			c.take(a, c.key, token, ttl)
			_, err := b.SetNX(c.ctx(), c.key, backend.NewToken("b"), ttl)
			if !errors.Is(err, backend.ErrHeld) {
				c.Fatalf("SetNX of a held key: %v, want ErrHeld", err)
			}
			if strings.Contains(err.Error(), token) {
				c.Errorf("the error shows the holder's token: %v", err)
			}
			var held *backend.HeldError
			if !errors.As(err, &held) {
				return // allowed: the store may not know
			}
			if held.Owner != "the holder" {
				c.Errorf("HeldError.Owner is %q, want %q", held.Owner, "the holder")
			}
			if held.TTL < 0 || held.TTL > ttl {
				c.Errorf("HeldError.TTL is %v, want 0 or what is left of %v", held.TTL, ttl)
			}
		},
	},
	{
		name: "B2 of many who ask at once one gets it",
		rule: "B2: SetNX looks and takes in one indivisible step.",
		run: func(c *C) {
			const clients, rounds = 4, 40
			bs := c.clients(clients)
			for range rounds {
				key := c.newKey()
				errs := make(chan error, clients)
				start := make(chan struct{})
				for _, b := range bs {
					go func() {
						<-start
						_, err := b.SetNX(c.ctx(), key, backend.NewToken("one of many"), long)
						errs <- err
					}()
				}
				close(start)
				granted := 0
				for range bs {
					err := within(c, "an answer to SetNX", 0, errs)
					if err == nil {
						granted++
					} else if !errors.Is(err, backend.ErrHeld) {
						c.Fatalf("SetNX: %v, want nil or ErrHeld", err)
					}
				}
				if granted != 1 {
					c.Fatalf("%d of %d who asked at once got the key, want 1", granted, clients)
				}
			}
		},
	},
	{
		name: "B2 a late delete does not hit the next lease",
		rule: "B2: DeleteIfOwner looks and deletes in one indivisible step.",
		run: func(c *C) {
			c.aroundTheEnd(func(late backend.Backend, key, token string) {
				_ = late.DeleteIfOwner(c.ctx(), key, token)
			})
		},
	},
	{
		name: "B2 a late renewal does not hit the next lease",
		rule: "B2: ExpireIfOwner looks and prolongs in one indivisible step.",
		run: func(c *C) {
			c.aroundTheEnd(func(late backend.Backend, key, token string) {
				// A ttl this short would end the next lease almost at once.
				_ = late.ExpireIfOwner(c.ctx(), key, token, time.Millisecond)
			})
		},
	},
	{
		name: "B3 another client can prolong and end a lease",
		rule: "B3: the store is the only memory; who has the token has the lease.",
		run: func(c *C) {
			a, b, d := c.connect(), c.connect(), c.connect()
			token := backend.NewToken("a")
			c.take(a, c.key, token, long)
			c.owns(b, c.key, token, long)
			c.release(d, c.key, token)
			c.notOwner(a, c.key, token)
			c.take(a, c.key, backend.NewToken("next"), long)
		},
	},
}

// clients returns n clients of the store.
func (c *C) clients(n int) []backend.Backend {
	bs := make([]backend.Backend, n)
	for i := range bs {
		bs[i] = c.connect()
	}
	return bs
}

// takeSoon is takeWhenFree for a goroutine, which can not end the case.
func (c *C) takeSoon(b backend.Backend, key, token string) bool {
	for end := time.Now().Add(generous); ; time.Sleep(poll) {
		_, err := b.SetNX(c.ctx(), key, token, long)
		if err == nil {
			return true
		}
		if !errors.Is(err, backend.ErrHeld) || time.Now().After(end) {
			c.Errorf("SetNX while waiting for a lease to end: %v", err)
			return false
		}
	}
}

// aroundTheEnd lets a lease end by itself and be taken by another client, while
// its old owner makes a call around that very moment. The new lease must live.
func (c *C) aroundTheEnd(call func(late backend.Backend, key, token string)) {
	late, next := c.connect(), c.connect()
	const ttl = 20 * time.Millisecond
	for i := range 24 {
		key, old, young := c.newKey(), backend.NewToken("old"), backend.NewToken("young")
		c.take(late, key, old, ttl)
		called := make(chan struct{})
		go func() {
			defer close(called)
			time.Sleep(ttl - 4*time.Millisecond + time.Duration(i)*time.Millisecond/4)
			call(late, key, old)
		}()
		c.takeWhenFree(next, key, young, long, ttl)
		within(c, "the old owner's call", ttl, called)
		time.Sleep(2 * time.Millisecond)
		c.owns(next, key, young, long)
	}
}
