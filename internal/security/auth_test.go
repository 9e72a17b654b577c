package security

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/dislock/dislock"
	"github.com/dislock/dislock/internal/recipe/recipetest"
	"github.com/dislock/dislock/internal/redistest"
)

// TestPasswords has locks taken, renewed, awaited and released by those who know
// the password, of the default user and of the documented one.
func TestPasswords(t *testing.T) {
	t.Parallel()
	eachDriver(t, func(t *testing.T, open func(testing.TB, login) line) {
		s := redistest.Start(t)
		recipetest.AddUser(t, s, recipetest.ACL...)
		s.Do(t, "CONFIG", "SET", "requirepass", "open sesame")
		for name, in := range map[string]login{
			"requirepass": {addr: s.Addr(), password: "open sesame"},
			"an ACL user": {addr: s.Addr(), user: "lock", password: "secret"},
		} {
			handsOver(t, strings.ReplaceAll(name, " ", "-"), open(t, in), open(t, in))
		}
	})
}

// TestFurtherRules holds what the documented user needs besides for a client with
// settings of its own: exactly what the documentation says.
func TestFurtherRules(t *testing.T) {
	t.Parallel()
	eachDriver(t, func(t *testing.T, open func(testing.TB, login) line) {
		s := redistest.Start(t)
		for rule, in := range map[string]login{
			"+select":         {db: 3},
			"+client|setname": {name: "worker-7"},
		} {
			in.addr, in.user, in.password = s.Addr(), "lock", "secret"
			recipetest.AddUser(t, s, recipetest.ACL...)
			refused(t, open, in, "NOPERM")
			recipetest.AddUser(t, s, append([]string{rule}, recipetest.ACL...)...)
			handsOver(t, strings.Trim(rule, "+"), open(t, in), open(t, in))
		}
	})
}

// TestWrongPasswords holds that who does not know it is told so, without a word of
// what was tried.
func TestWrongPasswords(t *testing.T) {
	t.Parallel()
	eachDriver(t, func(t *testing.T, open func(testing.TB, login) line) {
		s := redistest.Start(t)
		recipetest.AddUser(t, s, recipetest.ACL...)
		s.Do(t, "CONFIG", "SET", "requirepass", "open sesame")
		for want, in := range map[string]login{
			"WRONGPASS":         {user: "lock", password: "wrong-password"},
			"WRONGPASS invalid": {user: "nobody", password: "wrong-password"},
			"WRONGPASS invalid username-password pair": {password: "wrong-password"},
			"NOAUTH": {},
		} {
			in.addr = s.Addr()
			refused(t, open, in, want)
		}
	})
}

// TestPasswordChangedWhileHeld takes the rights of a user away who holds a lock, and
// all connections. The holder is told by its deadline, and before that why nothing
// is renewed any more.
func TestPasswordChangedWhileHeld(t *testing.T) {
	t.Parallel()
	eachDriver(t, func(t *testing.T, open func(testing.TB, login) line) {
		a := redistest.NewAuthority(t)
		s, addr := redistest.StartTLS(t, a, a.Issue(time.Now().Add(time.Hour)), "--tls-auth-clients", "no")
		recipetest.AddUser(t, s, recipetest.ACL...)
		b := open(t, login{addr: addr, user: "lock", password: "secret", tls: trust(a)})
		const ttl = 2 * time.Second
		e := new(evidence)
		renewed := make(chan time.Time, 100)
		hooks := e.hooks()
		hooks.Renewed = func(dislock.RenewedInfo) { renewed <- time.Now() }
		ctx := bounded(t)
		mu := dislock.New(b, "k", dislock.WithTTL(ttl), dislock.WithRenewEvery(100*time.Millisecond),
			dislock.WithHooks(hooks), dislock.WithLogger(e.logger()))
		lease, err := mu.LockContext(ctx)
		if err != nil {
			t.Fatal(err)
		}
		<-renewed
		recipetest.AddUser(t, s, append([]string{"resetpass", ">new-password"}, recipetest.ACL...)...)
		s.Do(t, "CLIENT", "KILL", "USER", "lock")
		changed := time.Now()
		left := time.Duration(s.Do(t, "PTTL", "dislock:{k}").(int64)) * time.Millisecond
		free := time.Now().Add(left) // not before that: the answer took its time
		done := make(chan time.Duration, 1)
		go func() {
			<-lease.Done()
			done <- time.Since(changed)
		}()
		time.Sleep(time.Until(free)) // the key has not been free for longer than an instant
		if err := lease.Err(); !errors.Is(err, dislock.ErrLost) || !errors.Is(err, dislock.ErrUnavailable) {
			t.Errorf("Err: %v, want it to match ErrLost and ErrUnavailable", err)
		}
		if told := <-done; told < left/2 || told > left+soon {
			t.Errorf("the holder was told after %v, when the key had %v left", told, left)
		}
		if err := lease.Unlock(ctx); !errors.Is(err, dislock.ErrLost) {
			t.Errorf("Unlock: %v, want ErrLost", err)
		}
		if !strings.Contains(e.String(), "WRONGPASS") {
			t.Errorf("it is not said why nothing is renewed: %s", e)
		}
		if text := e.String(); strings.Contains(text, "secret") || strings.Contains(text, "new-password") {
			t.Errorf("a password is shown: %s", text)
		}
		e.clean(t, []string{lease.Token()})
	})
}
