// Package recipetest holds what must be true of an adapter for Redis beyond the
// contract that package conformance tests: how the recipe works on a real server,
// seen from either client library.
package recipetest

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/dislock/dislock/backend"
	"github.com/dislock/dislock/internal/redistest"
)

// Login says which server to talk to, and as whom; a User of "" is the default
// user.
type Login struct {
	Addr, User, Password string
}

// Open returns a backend with a client of its own, at its defaults. What it
// opens ends with the test.
type Open func(tb testing.TB, login Login) backend.Backend

// Run runs every case against the backends that open returns.
func Run(t *testing.T, open Open) {
	for name, run := range map[string]func(*T){
		"a script that the server forgot is sent again":       forgottenScript,
		"a key of another type is left alone":                 wrongType,
		"a counter of another type is left alone":             wrongCounter,
		"a plain key is a holder":                             plainKey,
		"a plain client of the recipe can release":            plainRelease,
		"fences grow though the counter is lost":              lostCounter,
		"fences grow though a failover put the counter back":  staleCounter,
		"fences grow though the clock was put back":           fastClock,
		"fences are exact up to 2^53":                         exactFence,
		"every key expires":                                   everyKeyExpires,
		"the documented user suffices":                        minimalUser,
		"a user without scripts is told so":                   userWithoutScripts,
		"a user who may not write leaves nothing":             userWithoutSet,
		"a server without EVALSHA gets no token into the log": renamedCommand,
		"a wrong password is an error":                        wrongPassword,
		"no server is an error":                               noServer,
		"a lost reply is unknown and asked for once":          lostReply,
		"a lost reply of a release is not a refusal":          lostRelease,
		"a done ctx sends nothing":                            doneCtx,
		"a silent server does not hold the caller":            silentServer,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			run(&T{T: t, open: open, token: backend.NewToken("worker-7")})
		})
	}
}

// T is one case at work on the key "k".
type T struct {
	*testing.T
	open  Open
	token string
}

const (
	key   = "k"
	lock  = "dislock:{k}"
	fence = "dislock:{k}:fence"
	long  = time.Minute
)

func (t *T) start(args ...string) (*redistest.Server, backend.Backend) {
	t.Helper()
	s := redistest.Start(t, args...)
	return s, t.open(t, Login{Addr: s.Addr()})
}

func (t *T) ctx() context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	t.Cleanup(cancel)
	return ctx
}

// take takes the key for token, which must succeed.
func (t *T) take(b backend.Backend, token string) uint64 {
	t.Helper()
	fence, err := b.SetNX(t.ctx(), key, token, long)
	if err != nil {
		t.Fatalf("SetNX: %v", err)
	}
	return fence
}

// turn takes the key for a new token and releases it.
func (t *T) turn(b backend.Backend) uint64 {
	t.Helper()
	token := backend.NewToken("turn")
	fence := t.take(b, token)
	if err := b.DeleteIfOwner(t.ctx(), key, token); err != nil {
		t.Fatalf("DeleteIfOwner: %v", err)
	}
	return fence
}

// unknown checks that err says that nobody knows, and does not show the token.
func (t *T) unknown(what string, err error) {
	t.Helper()
	if err == nil || errors.Is(err, backend.ErrHeld) || errors.Is(err, backend.ErrNotOwner) {
		t.Errorf("%s: %v, want an error that is neither yes nor no", what, err)
		return
	}
	if _, secret, _ := strings.Cut(t.token, ":"); strings.Contains(err.Error(), secret[:8]) {
		t.Errorf("%s: the error shows the token: %v", what, err)
	}
}

// allUnknown checks that of each of the three methods.
func (t *T) allUnknown(b backend.Backend) {
	t.Helper()
	_, err := b.SetNX(t.ctx(), key, t.token, long)
	t.unknown("SetNX", err)
	t.unknown("ExpireIfOwner", b.ExpireIfOwner(t.ctx(), key, t.token, long))
	t.unknown("DeleteIfOwner", b.DeleteIfOwner(t.ctx(), key, t.token))
}

// text returns the reply to a command that answers a string.
func (t *T) text(s *redistest.Server, cmd string, args ...any) string {
	t.Helper()
	b, _ := s.Do(t, cmd, args...).([]byte)
	return string(b)
}
