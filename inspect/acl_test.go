package inspect_test

import (
	"fmt"
	"go/parser"
	"go/token"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/dislock/dislock/backend"
	"github.com/dislock/dislock/inspect"
	"github.com/dislock/dislock/internal/recipe/recipetest"
	"github.com/dislock/dislock/internal/redistest"
)

// documented returns the rules of the user that the documentation shows.
func documented(t *testing.T) []string {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), "doc.go", nil, parser.ParseComments)
	if err != nil {
		t.Fatal(err)
	}
	_, rest, ok := strings.Cut(file.Doc.Text(), "\tACL SETUSER watch on >password ")
	rules, _, _ := strings.Cut(rest, "\n\n")
	if !ok || len(strings.Fields(rules)) < 3 {
		t.Fatalf("the documentation shows no user: %q", rules)
	}
	return strings.Fields(rules)
}

// user returns an Inspector that asks as a user with these rules.
func user(t *testing.T, s *redistest.Server, rules []string) *inspect.Inspector {
	args := []any{"SETUSER", "watch", "on", ">password"}
	for _, rule := range rules {
		args = append(args, rule)
	}
	s.Do(t, "ACL", args...)
	return inspect.New(connect(t, &redis.Options{Addr: s.Addr(), Username: "watch", Password: "password", MaxRetries: -1}))
}

// TestWatchingUser holds that the documented user can look and not touch, and that
// each of its rules is needed.
func TestWatchingUser(t *testing.T) {
	t.Parallel()
	rules := documented(t)
	for without := -1; without < len(rules); without++ {
		name, rest := "nothing", rules
		if without >= 0 {
			name, rest = rules[without], slices.Delete(slices.Clone(rules), without, without+1)
		}
		t.Run("without "+name, func(t *testing.T) {
			t.Parallel()
			s, client, _ := server(t)
			take(t, open(t, client), []string{key})
			i := user(t, s, rest)
			l, err := i.Lock(within(t), key)
			var walk error
			for _, e := range i.Locks(within(t), "") {
				walk = e
			}
			works := err == nil && walk == nil && l.Owner == "owner of "+key
			if works != (without < 0) {
				t.Errorf("%+v, %v and %v", l, err, walk)
			}
			if denied := err != nil || walk != nil; denied && !strings.Contains(fmt.Sprint(err, walk), "NOPERM") {
				t.Errorf("%v and %v, want the server's word that it is forbidden", err, walk)
			}
			if _, err := i.Break(within(t), l); err == nil {
				t.Error("may end a lease")
			}
		})
	}
}

// TestBreakingUser holds that a user who locks needs no more than is documented to
// end leases.
func TestBreakingUser(t *testing.T) {
	t.Parallel()
	s, client, _ := server(t)
	b := open(t, client)
	token := backend.NewToken("owner")
	if _, err := b.SetNX(within(t), key, token, time.Minute); err != nil {
		t.Fatal(err)
	}
	queue(t, b, key, "next")
	waitFor(t, inspect.New(client), key, 1)
	i := user(t, s, append(recipetest.ACL, "+watch", "+unwatch", "+multi", "+exec", "+zcard"))
	if after, err := i.Break(within(t), look(t, i, key)); err != nil || after.Owner != "next" {
		t.Errorf("%+v, %v; want it to have passed", after, err)
	}
}
