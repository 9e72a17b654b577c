package crossing

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gomodule/redigo/redis"

	"github.com/dislock/dislock"
	"github.com/dislock/dislock/backend"
)

// A user locks the key of its name.
type user struct {
	*scene
	key     string
	dial    func(testing.TB, *network) line
	network *network
	closers []line
}

// open returns a backend, which ends with what the user tries.
func (u *user) open() line {
	b := u.dial(u, u.network)
	u.closers = append(u.closers, b)
	return b
}

func (u *user) name(suffix string) string { return "dislock:{" + u.key + "}" + suffix }

func (u *user) mutex(b backend.Backend, pause time.Duration) *dislock.Mutex {
	return dislock.New(b, u.key, dislock.WithTTL(ttl), dislock.WithBackoff(pause, pause), dislock.WithLogger(u.network.logger()))
}

// can returns nil if the user can do that, and otherwise why not.
func (u *user) can(n need) error {
	u.server.Do(u, "DEL", u.name(""), u.name(":line"))
	defer func() {
		for _, b := range u.closers {
			b.Close()
		}
		u.closers = nil
	}()
	switch n {
	case toLock:
		return u.lock()
	case toWait:
		for _, release := range []bool{true, false} {
			if err := u.wait(50*time.Millisecond, 2*time.Second, release); err != nil {
				return err
			}
		}
		return u.leave()
	case toBeTold:
		return u.wait(time.Minute, 3*time.Second, true) // it asks when the ttl has passed
	case toSkip:
		return u.skip()
	default:
		return u.stay()
	}
}

func (u *user) lock() error {
	ctx, b := bounded(u), u.open()
	token := backend.NewToken("owner")
	_, first := b.SetNX(ctx, u.key, token, ttl)
	_, again := b.SetNX(ctx, u.key, token, ttl)
	// The counter was set just now: it counts.
	u.server.Do(u, "SET", u.name(":fence"), 1, "PX", 2*24*time.Hour.Milliseconds())
	u.server.Do(u, "DEL", u.name(""))
	_, soonAfter := b.SetNX(ctx, u.key, token, ttl)
	u.server.Do(u, "SET", u.name(""), token, "PX", ttl.Milliseconds())
	_, refusal := b.SetNX(ctx, u.key, backend.NewToken("another"), ttl)
	var held *dislock.HeldError
	if errors.As(refusal, &held) && held.TTL > 0 {
		refusal = nil
	}
	return errors.Join(first, again, soonAfter, refusal,
		b.ExpireIfOwner(ctx, u.key, token, ttl), b.DeleteIfOwner(ctx, u.key, token))
}

// wait has one wait behind another, which asks again after pause, and is to have
// the lock within d of its release, or its sudden end, without a complaint.
func (u *user) wait(pause, d time.Duration, release bool) error {
	ctx, cancel := context.WithCancel(bounded(u))
	defer cancel()
	b := u.open()
	lease, err := u.mutex(b, pause).LockContext(ctx)
	if err != nil {
		return err
	}
	served := make(chan error, 1)
	go func() {
		lease, err := u.mutex(b, pause).LockContext(ctx)
		if err == nil {
			err = lease.Unlock(ctx)
		}
		served <- err
	}()
	u.lined(1, 600*time.Millisecond) // or it polls
	if release {
		if err := lease.Unlock(ctx); err != nil {
			return err
		}
	} else {
		u.server.Do(u, "DEL", u.name(""))
	}
	tooLate := time.AfterFunc(d, cancel)
	defer tooLate.Stop()
	err = <-served
	if text := u.network.log.text.String(); strings.Contains(text, "waiting for the store") {
		return errors.New(text)
	}
	return err
}

// leave has one give up that stands in line, if it does.
func (u *user) leave() error {
	ctx, cancel := context.WithCancel(bounded(u))
	defer cancel()
	b := u.open()
	lease, err := u.mutex(b, time.Minute).LockContext(ctx)
	if err != nil {
		return err
	}
	left := make(chan struct{})
	go func() {
		defer close(left)
		_, _ = u.mutex(b, time.Minute).LockContext(ctx)
	}()
	u.lined(1, 600*time.Millisecond)
	cancel()
	<-left
	if !u.lined(0, 2*time.Second) {
		return errors.New("it stays in line")
	}
	return lease.Unlock(bounded(u))
}

// lined waits until n stand in line, for d at most.
func (u *user) lined(n int64, d time.Duration) bool {
	for end := time.Now().Add(d); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		if u.server.Do(u, "ZCARD", u.name(":line")) == n {
			return true
		}
	}
	return false
}

func (u *user) skip() error {
	token := backend.NewToken("owner")
	u.server.Do(u, "SET", u.name(""), token, "PX", ttl.Milliseconds())
	u.server.Do(u, "ZADD", u.name(":line"), 1, "nobody:5000:dead")
	if err := u.open().DeleteIfOwner(bounded(u), u.key, token); err != nil {
		return err
	}
	if u.server.Do(u, "EXISTS", u.name("")) != int64(0) {
		return errors.New("the dead one has the lock")
	}
	return nil
}

// stay has one wait for longer than it takes to ask whether its connection is good.
func (u *user) stay() error {
	ctx, cancel := context.WithCancel(bounded(u))
	defer cancel()
	holder, b := u.mutex(u.open(), time.Minute), u.open()
	if _, err := holder.LockContext(ctx); err != nil {
		return err
	}
	defer holder.Unlock()
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_, _ = u.mutex(b, time.Minute).LockContext(ctx)
	}()
	defer func() { cancel(); <-ended }()
	if !u.lined(1, 5*time.Second) {
		return errors.New("it does not stand in line")
	}
	before := u.listens()
	time.Sleep(6 * time.Second)
	if after := u.listens(); before == "" || after != before {
		return errors.New("it listened on " + before + ", and now on " + after)
	}
	return nil
}

// listens returns the id of the connection on which the user listens.
func (u *user) listens() string {
	text, err := redis.String(u.server.Do(u, "CLIENT", "LIST", "TYPE", "PUBSUB"), nil)
	if err != nil {
		u.Fatal(err)
	}
	for line := range strings.Lines(text) {
		fields := strings.Fields(line)
		if slices.Contains(fields, "user="+u.network.user) {
			return fields[0]
		}
	}
	return ""
}
