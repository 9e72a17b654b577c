package crossing

import (
	"go/parser"
	"go/token"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/dislock/dislock/internal/recipe/recipetest"
)

// A need is what a rule of the documented user is for. Each is needed for those
// after it as well.
type need int

const (
	toLock   need = iota // take, prolong and give back
	toWait               // have a turn when the lock is held, and leave the line
	toBeTold             // have it at once, and not when asking next
	toSkip               // lose no time over a waiter that has died
	toStay               // listen on one connection for longer than it takes to ask whether it is good
	numNeeds
)

func (n need) String() string {
	return [...]string{"lock", "wait", "be told", "skip a dead waiter", "go on listening"}[n]
}

var needs = map[string]need{
	"~dislock:*":     toLock,
	"+evalsha":       toLock,
	"+eval":          toLock,
	"+get":           toLock,
	"+set":           toLock,
	"+incr":          toLock,
	"+exists":        toLock,
	"+pexpire":       toLock,
	"+pttl":          toLock,
	"+del":           toLock,
	"+time":          toLock,
	"+zpopmin":       toLock,
	"+zadd":          toWait,
	"+zrange":        toWait,
	"+zrank":         toWait,
	"+zrem":          toWait,
	"&dislock:*":     toBeTold,
	"+subscribe":     toBeTold,
	"+publish":       toBeTold,
	"+pubsub|numsub": toSkip,
	"+ping":          toStay,
}

// TestEveryRuleIsNeeded takes each rule away from the documented user, and sees
// that exactly what it is documented to be for does not work any more: the list
// is complete, and no shorter one would do.
func TestEveryRuleIsNeeded(t *testing.T) {
	t.Parallel()
	for name, open := range openers {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			shared := newScene(t)
			run := func(name string, s *scene, rules []string, fails need, last need) {
				t.Run(name, func(t *testing.T) {
					t.Parallel()
					u := &user{scene: &scene{T: t, server: s.server}, key: name, dial: open, network: newNetwork(s.server.Addr())}
					u.network.user, u.network.password = "user-"+name, "secret"
					args := []any{"SETUSER", u.network.user, "on", ">secret"}
					for _, rule := range rules {
						args = append(args, rule)
					}
					s.server.Do(t, "ACL", args...)
					for n := toLock; n <= last; n++ {
						if err := u.can(n); (err == nil) != (n != fails) {
							t.Errorf("to %v: %v", n, err)
						}
					}
				})
			}
			run("all", shared, recipetest.ACL, numNeeds, toStay)
			for rule, n := range needs {
				s := shared
				if rule == "+eval" { // is needed on a server that does not know the scripts
					s = newScene(t)
				}
				run(rule, s, without(rule), n, n)
			}
		})
	}
	for _, rule := range recipetest.ACL {
		if _, ok := needs[rule]; !ok {
			t.Errorf("nobody knows what %s is needed for", rule)
		}
	}
	if len(needs) != len(recipetest.ACL) {
		t.Errorf("%d rules are needed, %d are documented", len(needs), len(recipetest.ACL))
	}
}

// TestDocumentedUser holds that the documentation of both adapters, and the guide to
// production, show the rules that are tested.
func TestDocumentedUser(t *testing.T) {
	t.Parallel()
	check := func(name, text, before, after string) {
		t.Helper()
		_, rest, ok := strings.Cut(text, before)
		rules, _, _ := strings.Cut(rest, after)
		got := strings.Fields(strings.NewReplacer("'", "", "\\\n", "\n").Replace(rules))
		if !ok || !slices.Equal(got, recipetest.ACL) {
			t.Errorf("%s documents the user %q, want %q", name, got, recipetest.ACL)
		}
	}
	for name := range openers {
		file, err := parser.ParseFile(token.NewFileSet(), "../../backend/"+name+"/doc.go", nil, parser.ParseComments)
		if err != nil {
			t.Fatal(err)
		}
		check("backend/"+name, file.Doc.Text(), "\tACL SETUSER lock on >password ", "\n\n")
	}
	guide, err := os.ReadFile("../../docs/guides/production.md")
	if err != nil {
		t.Fatal(err)
	}
	check("the guide", string(guide), "redis-cli ACL SETUSER lock on '>password' ", "\n```")
}
