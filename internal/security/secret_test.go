package security

import (
	"context"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/dislock/dislock"
	"github.com/dislock/dislock/backend"
	"github.com/dislock/dislock/internal/recipe/recipetest"
	"github.com/dislock/dislock/internal/redistest"
)

// TestSecretsStaySecret has everything happen to a lock and reads whatever is
// said, logged, told to a hook, or can be printed: no token is to be found in it.
func TestSecretsStaySecret(t *testing.T) {
	t.Parallel()
	for name, m := range mishaps {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := &sufferer{server: redistest.Start(t, m.args...)}
			s.proxy = redistest.NewProxy(t, s.server.Addr())
			in := login{addr: s.proxy.Addr()}
			if m.rules != nil {
				recipetest.AddUser(t, s.server, m.rules...)
				in.user, in.password = "lock", "secret"
			}
			var victims []*victim
			for name, open := range drivers {
				s.keys = append(s.keys, "dislock:{"+name+"}")
				victims = append(victims, newVictim(t, name, in, open, m.happen != nil))
			}
			if m.happen != nil {
				m.happen(t, s)
			}
			var wg sync.WaitGroup
			for _, v := range victims {
				wg.Go(func() { v.suffer(t) })
			}
			wg.Wait()
			for _, v := range victims {
				if !strings.Contains(v.evidence.String(), m.want) {
					t.Errorf("%s: nothing is said of %q:\n%s", v.key, m.want, v.evidence.String())
				}
				if n := len(v.spy.tokens()); n < 5 {
					t.Errorf("%s: %d tokens, want one for each call", v.key, n)
				}
				v.evidence.clean(t, v.spy.tokens())
			}
		})
	}
}

// A victim is a process that locks while something happens.
type victim struct {
	*evidence
	key   string
	spy   *spy
	lease *dislock.Lease // nil if the mishap was there before it
}

func newVictim(t *testing.T, key string, in login, open func(testing.TB, login) line, healthy bool) *victim {
	v := &victim{evidence: new(evidence), key: key}
	in.logger = v.logger()
	v.spy = newSpy(open(t, in))
	v.print(v.spy.line)
	if healthy {
		mu := v.mutex("holder")
		v.print(mu)
		lease, err := mu.LockContext(bounded(t))
		if err != nil {
			t.Fatal(err)
		}
		v.lease = lease
		v.print(lease)
		v.print(mu)
	}
	return v
}

func (v *victim) mutex(owner string) *dislock.Mutex {
	return dislock.New(v.spy, v.key, dislock.WithOwner(owner), dislock.WithTTL(4*time.Second),
		dislock.WithRenewEvery(40*time.Millisecond), dislock.WithBackoff(5*time.Millisecond, 20*time.Millisecond),
		dislock.WithHooks(v.hooks()), dislock.WithLogger(v.logger()))
}

// suffer goes through every method of a Mutex and a Lease, and keeps what they say.
func (v *victim) suffer(t *testing.T) {
	time.Sleep(60 * time.Millisecond) // a renewal
	ctx, mu := bounded(t), v.mutex("other")
	waits, cancel := context.WithTimeout(ctx, 250*time.Millisecond)
	defer cancel()
	for _, try := range []func() (*dislock.Lease, error){
		func() (*dislock.Lease, error) { return mu.LockContext(waits) },
		func() (*dislock.Lease, error) { return mu.TryLockContext(ctx) },
		func() (*dislock.Lease, error) { return mu.LockContext(waits) },
	} {
		lease, err := try()
		v.error(err)
		if err == nil {
			v.print(lease)
			v.error(lease.Unlock(ctx))
			v.error(lease.Unlock(ctx))
		}
	}
	if mu.TryLock() {
		mu.Unlock()
	}
	short, cancel := context.WithTimeout(ctx, 100*time.Millisecond)
	defer cancel()
	v.error(mu.Do(short, func(ctx context.Context) error {
		v.print(ctx)
		v.print(dislock.FromContext(ctx))
		return nil
	}))
	if v.lease != nil {
		v.error(v.lease.Err())
		v.error(v.lease.Unlock(ctx))
		v.error(v.lease.Err())
		v.print(v.lease)
	}
	token := backend.NewToken("direct") // what wrappers of a backend see
	v.spy.note(token)
	for range 2 {
		ctx, cancel := context.WithTimeout(ctx, 100*time.Millisecond)
		_, err := v.spy.SetNX(ctx, v.key, token, time.Second)
		v.error(err)
		_, err = v.spy.Join(ctx, v.key, token, time.Second, time.Second, make(chan backend.Grant, 1))
		v.error(err)
		v.error(v.spy.ExpireIfOwner(ctx, v.key, token, time.Second))
		v.error(v.spy.DeleteIfOwner(ctx, v.key, token))
		cancel()
	}
	time.Sleep(50 * time.Millisecond) // for what is taken back in the background
}
