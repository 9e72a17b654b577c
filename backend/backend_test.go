package backend_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/dislock/dislock/backend"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestHeldError(t *testing.T) {
	token := backend.NewToken("web-1:42")
	for _, tt := range []struct {
		err  *backend.HeldError
		want string
	}{
		{backend.Held(token, 3*time.Second), `held by "web-1:42" for another 3s`},
		{backend.Held(token, -1), `held by "web-1:42"`},
		{backend.Held("a stranger's token", time.Second), "held by another owner for another 1s"},
		{&backend.HeldError{}, "held by another owner"},
	} {
		if got := tt.err.Error(); got != tt.want {
			t.Errorf("%q, want %q", got, tt.want)
		}
		if !errors.Is(fmt.Errorf("wrapped: %w", tt.err), backend.ErrHeld) || errors.Is(tt.err, backend.ErrNotOwner) {
			t.Errorf("%v matches the wrong errors", tt.err)
		}
	}
}

func TestTokens(t *testing.T) {
	seen := make(map[string]bool)
	for _, owner := range []string{"", "web-1:42", "a:b:c", "\x00\xff\n", strings.Repeat("o", 255)} {
		for range 100 {
			token := backend.NewToken(owner)
			if seen[token] {
				t.Fatalf("the token %q came twice", token)
			}
			seen[token] = true
			if got := backend.Owner(token); got != owner {
				t.Errorf("Owner of a token of %q: %q", owner, got)
			}
		}
	}
}

// A token that is not ours has no part that is safe to show.
func TestForeignTokens(t *testing.T) {
	ours := backend.NewToken("web-1")
	for _, token := range []string{
		"", ":", "web-1", "8b7f0a52-9a3e-4b1c-a3a1-3d2c9d6f3a11", "web-1:secret",
		ours[:len(ours)-1], ours + "A", strings.ToLower(ours), strings.Replace(ours, ":", ";", 1), ours + ":",
	} {
		if got := backend.Owner(token); got != "" {
			t.Errorf("Owner of %q: %q, want nothing", token, got)
		}
	}
}

func FuzzOwner(f *testing.F) {
	f.Add("web-1:42")
	f.Add("")
	f.Add(":")
	f.Fuzz(func(t *testing.T, owner string) {
		if got := backend.Owner(backend.NewToken(owner)); got != owner {
			t.Errorf("Owner of a token of %q: %q", owner, got)
		}
		// What a stranger put in the key is shown only up to a part that looks like
		// our secret, and that part never is.
		if shown := backend.Owner(owner); shown != "" && len(owner)-len(shown) != 27 {
			t.Errorf("Owner of %q shows %q", owner, shown)
		}
	})
}
