//go:build unix

package chaos

import (
	"encoding/json"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/dislock/dislock/internal/history"
)

// A variant is the library with a mistake in it, and the kind of fault that brings
// it to light. Without the fault it would not be noticed for long.
type variant struct {
	fault   string
	mistake string
	short   bool // if it takes sections that hardly need renewals
	edits   []edit
	with    []faultKind // instead of the plain fault, if that alone does no harm
}

// An edit replaces text that occurs once in one of the library's files.
type edit struct{ file, old, new string }

var variants = []variant{
	{"kill a holder", "a lease has no end", false, []edit{
		{"internal/recipe/scripts.go", `redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[4])`, `redis.call('SET', KEYS[1], ARGV[1])`},
		{"internal/recipe/scripts.go", `redis.call('SET', KEYS[1], token, 'PX', claim)`, `redis.call('SET', KEYS[1], token)`},
		{"internal/recipe/scripts.go", `return redis.call('PEXPIRE', KEYS[1], ARGV[2])`, `return 1`},
	}, nil},
	{"kill a waiter", "the dead are given the key, for ever", true, []edit{
		{"internal/recipe/scripts.go", `return count.err or count[2] > 0`, `return true`},
		{"internal/recipe/scripts.go", `redis.call('SET', KEYS[1], token, 'PX', claim)`, `redis.call('SET', KEYS[1], token)`},
	}, nil},
	{"freeze a holder", "nobody looks at the deadline", false, []edit{
		{"clock.go", `return ttl - (ttl/100 + 2*time.Millisecond)`, `return 1000 * ttl`},
	}, nil},
	{"freeze a waiter", "a grant is counted from when it is heard", true, []edit{
		{"await.go", `began := momentOf(grant.Began)`, `began := a.now()`},
	}, nil},
	{"delay replies", "a lease is counted from the reply", false, []edit{
		{"acquisition.go", `return newLease(a, fence, sent, a.ttl), nil`, `return newLease(a, fence, a.now(), a.ttl), nil`},
		{"acquisition.go", `case a.now().since(sent) >= validity(a.ttl):`, `case a.now().since(sent) < 0:`},
		{"renewal.go", `r.renewed(sent, m.ttl)`, `r.renewed(m.now(), m.ttl)`},
	}, []faultKind{{name: "delay replies", victim: holder, run: (*slot).delayTheLast}}},
	{"cut connections", "a connection that breaks is taken for a yes", true, []edit{
		{"acquisition.go", "case err != nil:\n\t\terr = unavailable(noAnswer(err, timeout))", "case err != nil && timeout < 0:\n\t\terr = unavailable(noAnswer(err, timeout))"},
	}, nil},
	{"swallow everything", "a renewal without an answer counts as one", false, []edit{
		{"renewal.go", "case err == nil:\n\t\tr.renewed", "case !notOwner:\n\t\tr.renewed"},
	}, nil},
	{"swallow a reply", "a release without an answer is made sure of without a look at the owner", true, []edit{
		{"internal/recipe/recipe.go", `if err != nil && !leaves && r.driver.TryAgain(err) {`, `if err != nil {`},
		{"internal/recipe/scripts.go", "if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end\nreturn redis.call('DEL', KEYS[1])", "return redis.call('DEL', KEYS[1])"},
	}, []faultKind{{name: "swallow a reply", victim: holder, run: (*slot).loseReplyToRelease}}},
	{"swallow a request", "the renewal outlives a release that failed", true, []edit{
		{"release.go", `if sleep(ctx, pauses.pause()) != nil {`, `if sleep(ctx, pauses.pause()) != nil || true {`},
		{"release.go", "m.takeBack(l.token)\n\t\terr = &opError", "err = &opError"},
		{"renewal.go", "r.mu.Lock()\n\tr.stopped = true", "r.mu.Lock()"},
		{"renewal.go", "r.over = true\n\tr.timer.Stop()\n}\n\n// check", "}\n\n// check"},
	}, nil},
	{"stop the server", "nobody looks at the deadline while a renewal is under way", false, []edit{
		{"renewal.go", `if r.leftLocked() > 0 {`, `if r.leftLocked() > 0 || r.inFlight != nil {`},
		{"renewal.go", `timeout := min(r.mutex.requestTimeout(), r.ttl/4, r.leftLocked())`, `timeout := time.Hour`},
	}, nil},
	{"restart with data", "a server is shown a script once", true, []edit{
		{"internal/recipe/scripts.go", "	hash any    // likewise\n", "	hash any    // likewise\n	shown bool\n"},
		{"internal/recipe/call.go", `if err != nil && c.driver.NoScript(err) {`, "if err != nil && c.driver.NoScript(err) && !c.script.shown {\n\t\tc.script.shown = true"},
	}, nil},
	{"restart without data", "fences are counted and no more", true, []edit{
		{"internal/recipe/scripts.go", `math.max(last + 1, now[1] * 1000000 + now[2])`, `last + 1`},
	}, nil},
	{"forget scripts", "a renewal whose script is not known counts as one", false, []edit{
		{"internal/recipe/call.go", "reply, err = c.send(args)\n\t\t}", "if reply = int64(1); c.script != extend {\n\t\t\t\treply, err = c.send(args)\n\t\t\t}\n\t\t}"},
	}, nil},
	{"kill clients", "who waits neither asks again nor listens again", true, []edit{
		{"await.go", `t := time.NewTimer(d)`, `t := time.NewTimer(d + time.Hour)`},
		{"internal/recipe/hearing.go", `for pause := minRetry; ; pause = min(2*pause, l.patience()) {`, `for pause := minRetry; pause == minRetry; pause += maxRetry {`},
		{"internal/recipe/hearing.go", `continue // at once`, `return // at once`},
	}, nil},
	{"evict", "a renewal that is refused counts as one", false, []edit{
		{"renewal.go", `notOwner := errors.Is(err, backend.ErrNotOwner)`, "notOwner := errors.Is(err, backend.ErrNotOwner)\n\tif notOwner {\n\t\terr, notOwner = nil, false\n\t}"},
	}, nil},
	{"delete a key", "a renewal takes the key from whoever has it", false, []edit{
		{"internal/recipe/scripts.go", "if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end\nreturn redis.call('PEXPIRE', KEYS[1], ARGV[2])", "redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])\nreturn 1"},
	}, nil},
}

// TestEveryFaultMatters has each kind of fault bring a mistake to light that it takes
// this fault to see. What is not caught would go unseen in TestChaos as well.
func TestEveryFaultMatters(t *testing.T) {
	t.Parallel()
	for _, k := range faultKinds {
		if !slices.ContainsFunc(variants, func(v variant) bool { return v.fault == k.name }) {
			t.Errorf("there is no mistake for %q to bring to light", k.name)
		}
	}
	for _, v := range variants {
		t.Run(v.fault, func(t *testing.T) {
			t.Parallel()
			v.mustBeCaught(t)
		})
	}
}

func (v variant) mustBeCaught(t *testing.T) {
	p := plan{worker: buildWorker(t, v.overlay(t)), driver: "mixed", size: 4, hands: 1, keys: 1, worst: true, seed: rand.Uint64(),
		pause: 10 * time.Millisecond, long: 1, most: 3 * ttl}
	if v.short {
		p.most = ttl / 2
	}
	w := newWorld(t, p)
	kinds := v.with
	if kinds == nil {
		kinds = kindsNamed(v.fault)
	}
	const most = 100 * time.Second
	for start := time.Now(); time.Since(start) < most; {
		w.besiege(kinds, ttl/3, ttl/2, func(time.Duration) {})
		w.served(5 * ttl)
		seen := w.history().Violations
		if starving := w.starving(time.Now().Add(-5 * ttl)); v.short && len(starving) > 0 {
			seen = append(seen, history.Violation{Rule: "everybody is served", Text: strings.Join(starving, ", ") + " starve"})
		}
		if len(seen) > 0 {
			t.Logf("%s: caught after %v by %d violations, of which the first is: %v", v.mistake, time.Since(start).Round(time.Second), len(seen), seen[0])
			return
		}
	}
	t.Errorf("%s: not caught within %v, by %s", v.mistake, most, w.faultsByKind())
}

// served waits until somebody has the lock, for d: if nobody ever will, it takes a time
// without faults to show that none of them is the reason.
func (w *world) served(d time.Duration) {
	count := func() int {
		w.mu.Lock()
		defer w.mu.Unlock()
		return w.sections
	}
	before := count()
	for end := time.Now().Add(d); count() == before && time.Now().Before(end); {
		time.Sleep(10 * time.Millisecond)
	}
}

// overlay writes the files with the mistake in them, and the list of them that go
// build wants to have.
func (v variant) overlay(t *testing.T) string {
	t.Helper()
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	var list struct{ Replace map[string]string }
	list.Replace = make(map[string]string)
	for _, e := range v.edits {
		file := filepath.Join(root, e.file)
		if list.Replace[file] == "" {
			list.Replace[file] = filepath.Join(dir, strings.ReplaceAll(e.file, "/", "_"))
			copyFile(t, file, list.Replace[file])
		}
		text, err := os.ReadFile(list.Replace[file])
		if err != nil {
			t.Fatal(err)
		}
		if n := strings.Count(string(text), e.old); n != 1 {
			t.Fatalf("%s: %q is there %d times, and not once", e.file, e.old, n)
		}
		write(t, list.Replace[file], strings.Replace(string(text), e.old, e.new, 1))
	}
	text, err := json.Marshal(list)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "overlay.json")
	write(t, path, string(text))
	return path
}

func copyFile(t *testing.T, from, to string) {
	t.Helper()
	text, err := os.ReadFile(from)
	if err != nil {
		t.Fatal(err)
	}
	write(t, to, string(text))
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}
