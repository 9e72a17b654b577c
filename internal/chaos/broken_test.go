//go:build unix

package chaos

import (
	"encoding/json"
	"flag"
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
	rule    string // that it breaks
	short   bool   // if it takes sections that hardly need renewals
	edits   []edit
	with    []faultKind // instead of the plain fault, if that alone does no harm
}

// An edit replaces text that occurs once in one of the library's files.
type edit struct{ file, old, new string }

var variants = []variant{
	{"kill a holder", "a lease has no end", history.Idle, false, []edit{
		{"internal/recipe/scripts.go", `redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[4])`, `redis.call('SET', KEYS[1], ARGV[1])`},
		{"internal/recipe/scripts.go", `redis.call('SET', KEYS[1], token, 'PX', claim)`, `redis.call('SET', KEYS[1], token)`},
		{"internal/recipe/scripts.go", `return redis.call('PEXPIRE', KEYS[1], ARGV[2])`, `return 1`},
	}, nil},
	{"kill a waiter", "the dead are given the key, for ever", history.Idle, true, []edit{
		{"internal/recipe/scripts.go", `return count.err or count[2] > 0`, `return true`},
		{"internal/recipe/scripts.go", `redis.call('SET', KEYS[1], token, 'PX', claim)`, `redis.call('SET', KEYS[1], token)`},
	}, nil},
	{"freeze a holder", "nobody looks at the deadline", history.Exclusion, false, []edit{
		{"clock.go", `return ttl - (ttl/100 + 2*time.Millisecond)`, `return 1000 * ttl`},
	}, nil},
	{"freeze a waiter", "a grant is counted from when it is heard", history.Exclusion, true, []edit{
		{"await.go", `began := momentOf(grant.Began)`, `began := a.now()`},
	}, nil},
	{"delay replies", "a lease is counted from the reply", history.Trusted, false, []edit{
		{"acquisition.go", `return newLease(a, fence, sent, a.ttl), nil`, `return newLease(a, fence, a.now(), a.ttl), nil`},
		{"acquisition.go", `case a.now().since(sent) >= validity(a.ttl):`, `case a.now().since(sent) < 0:`},
		{"renewal.go", `r.renewed(sent, m.ttl)`, `r.renewed(m.now(), m.ttl)`},
	}, []faultKind{{name: "delay replies", victim: holder, run: (*slot).delayTheLast}}},
	{"cut connections", "a connection that breaks is taken for a yes", history.Trusted, true, []edit{
		{"acquisition.go", "case err != nil:\n\t\terr = unavailable(noAnswer(err, timeout))", "case err != nil && timeout < 0:\n\t\terr = unavailable(noAnswer(err, timeout))"},
	}, nil},
	{"swallow everything", "a renewal without an answer counts as one", history.Trusted, false, []edit{
		{"renewal.go", "case err == nil:\n\t\tr.renewed", "case !notOwner:\n\t\tr.renewed"},
	}, nil},
	{"swallow everything", "nobody closes Done at the deadline", history.Trusted, false, []edit{
		{"lease.go", "if l.done != nil {\n\t\tclose(l.done)", "if l.done != nil && l.phase != locked {\n\t\tclose(l.done)"},
	}, nil},
	{"swallow a reply", "a release without an answer is made sure of without a look at the owner", history.Exclusion, true, []edit{
		{"internal/recipe/recipe.go", `if err != nil && !leaves && r.driver.TryAgain(err) {`, `if err != nil {`},
		{"internal/recipe/scripts.go", "if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end\nreturn redis.call('DEL', KEYS[1])", "return redis.call('DEL', KEYS[1])"},
	}, []faultKind{{name: "swallow a reply", victim: holder, run: (*slot).loseReplyToRelease}}},
	{"swallow a request", "the renewal outlives a release that failed", history.Idle, true, []edit{
		{"release.go", `if sleep(ctx, pauses.pause()) != nil {`, `if sleep(ctx, pauses.pause()) != nil || true {`},
		{"release.go", "l.takeBack()\n\t\terr = &opError", "err = &opError"},
		{"renewal.go", "r.mu.Lock()\n\tr.stopped = true", "r.mu.Lock()"},
		{"renewal.go", "r.over = true\n\tr.timer.Stop()\n}\n\n// check", "}\n\n// check"},
	}, nil},
	{"stop the server", "nobody looks at the deadline while a renewal is under way", history.Trusted, false, []edit{
		{"renewal.go", `if r.leftLocked() > 0 {`, `if r.leftLocked() > 0 || r.inFlight != nil {`},
		{"renewal.go", `timeout := min(r.mutex.requestTimeout(), r.ttl/4, r.leftLocked())`, `timeout := time.Hour`},
	}, nil},
	{"restart with data", "a server is shown a script once", served, true, []edit{
		{"internal/recipe/scripts.go", "	hash any    // likewise\n", "	hash any    // likewise\n	shown bool\n"},
		{"internal/recipe/call.go", `if err != nil && c.driver.NoScript(err) {`, "if err != nil && c.driver.NoScript(err) && !c.script.shown {\n\t\tc.script.shown = true"},
	}, nil},
	{"restart without data", "fences are counted and no more", history.Fences, true, []edit{
		{"internal/recipe/scripts.go", `math.max(last + 1, now[1] * 1000000 + now[2])`, `last + 1`},
	}, nil},
	{"forget scripts", "a renewal counts as one if its script is not known any more", history.Exclusion, false, []edit{
		{"internal/recipe/scripts.go", "	hash any    // likewise\n", "	hash any    // likewise\n	known bool\n"},
		{"internal/recipe/call.go", "reply, err = c.send(args)\n\t\t}\n\t}\n", "if reply = int64(1); c.script != extend || !c.script.known {\n\t\t\t\treply, err = c.send(args)\n\t\t\t}\n\t\t}\n\t}\n\tc.script.known = c.script.known || err == nil\n"},
	}, nil},
	{"kill clients", "who waits neither asks again nor listens again", served, true, []edit{
		{"await.go", `t := time.NewTimer(d)`, `t := time.NewTimer(d + time.Hour)`},
		{"internal/recipe/hearing.go", `for pause := minRetry; ; pause = min(2*pause, l.patience()) {`, `for pause := minRetry; pause == minRetry; pause += maxRetry {`},
		{"internal/recipe/hearing.go", `continue // at once`, `return // at once`},
	}, nil},
	{"evict", "a renewal that is refused counts as one", history.Trusted, false, []edit{
		{"renewal.go", `notOwner := errors.Is(err, backend.ErrNotOwner)`, "notOwner := errors.Is(err, backend.ErrNotOwner)\n\tif notOwner {\n\t\terr, notOwner = nil, false\n\t}"},
	}, nil},
	{"delete a key", "a renewal takes the key from whoever has it", history.Exclusion, false, []edit{
		{"internal/recipe/scripts.go", "if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end\nlocal counter", "redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])\nif true then return 1 end\nlocal counter"},
	}, nil},
}

// served is the rule that takes no history to see: who waits has its turn some time.
const served = "everybody is served"

var flagWithout = flag.String("without", "", "mistakes: let the faults come to the library as it is, in which none may find anything; "+
	"faults: let the mistakes be without them")

// TestEveryFaultMatters has each kind of fault bring a mistake to light that it takes
// this fault to see, and by the rule that the mistake breaks. The faults are as in
// TestChaos, but last as long as they can there, and meet sections that are of use to
// them; two are aimed at the request that matters.
func TestEveryFaultMatters(t *testing.T) {
	t.Parallel()
	for _, k := range faultKinds {
		if !slices.ContainsFunc(variants, func(v variant) bool { return v.fault == k.name }) {
			t.Errorf("there is no mistake for %q to bring to light", k.name)
		}
	}
	for _, v := range variants {
		t.Run(v.fault+"/"+v.mistake, func(t *testing.T) {
			t.Parallel()
			w, kinds := v.world(t)
			switch *flagWithout {
			case "":
				v.mustBeCaught(w, kinds)
			case "mistakes":
				v.mustBeQuiet(w, kinds)
			case "faults":
				v.mustBeQuiet(w, nil)
			default:
				t.Fatalf("-without=%s", *flagWithout)
			}
		})
	}
}

func (v variant) world(t *testing.T) (*world, []faultKind) {
	overlay := v.overlay(t)
	if *flagWithout == "mistakes" {
		overlay = ""
	}
	p := plan{worker: buildWorker(t, overlay), driver: "mixed", size: 4, hands: 1, keys: 1, worst: true, seed: rand.Uint64(),
		pause: 10 * time.Millisecond, long: 1, most: 3 * ttl}
	if v.short {
		p.most = ttl / 2
	}
	if v.with != nil {
		return newWorld(t, p), v.with
	}
	return newWorld(t, p), kindsNamed(v.fault)
}

func (v variant) mustBeCaught(w *world, kinds []faultKind) {
	const most = 100 * time.Second
	for start := time.Now(); time.Since(start) < most; {
		if seen := v.look(w, kinds); len(seen) > 0 {
			w.Logf("%s: caught after %v: %v", v.mistake, time.Since(start).Round(time.Second), seen[0])
			return
		}
	}
	w.Errorf("%s: not caught within %v, by %s", v.mistake, most, w.faultsByKind())
}

// mustBeQuiet looks for twice as long as it mostly takes to catch something.
func (v variant) mustBeQuiet(w *world, kinds []faultKind) {
	for start := time.Now(); time.Since(start) < 20*time.Second; {
		if seen := v.look(w, kinds); len(seen) > 0 {
			w.Fatalf("after %v: %v", time.Since(start).Round(time.Second), seen[0])
		}
	}
}

// look lets some faults come, and returns what breaks the variant's rule, so far.
func (v variant) look(w *world, kinds []faultKind) []history.Violation {
	const long = 5 * ttl
	if kinds == nil {
		time.Sleep(ttl / 3)
	} else {
		w.besiege(kinds, ttl/3, ttl/2, func(time.Duration) {})
	}
	if v.rule == served {
		if names := w.unserved(long); len(names) > 0 {
			return []history.Violation{{Rule: served, Text: strings.Join(names, ", ") + " starve"}}
		}
		return nil
	}
	before := w.entered()
	for end := time.Now().Add(long); w.entered() == before && time.Now().Before(end); {
		// If nobody will ever be served, it takes a time without faults to show that
		// none of them is the reason.
		time.Sleep(10 * time.Millisecond)
	}
	return slices.DeleteFunc(w.history().Violations, func(x history.Violation) bool { return x.Rule != v.rule })
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
