package conformance

import (
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// A suite proves nothing until it has been seen to fail. TestZoo runs it against
// backends that are broken on purpose, in the ways in which real ones were: each
// must be caught by the case that is named for the clause that it breaks.
func TestZoo(t *testing.T) {
	for _, animal := range wholeZoo() {
		t.Run(animal.name, func(t *testing.T) {
			h := animal.broken()
			failure := runCaught(t, h, caseNamed(t, animal.caught))
			if failure == "" {
				t.Fatalf("not caught by %q", animal.caught)
			}
			t.Logf("caught by %q: %s", animal.caught, failure)
		})
	}
}

// TestZooIsComplete holds that every case has caught something: one that nothing
// was seen to fail may be one that can not fail.
func TestZooIsComplete(t *testing.T) {
	caught := make(map[string]bool)
	for _, animal := range wholeZoo() {
		caught[animal.caught] = true
	}
	for _, k := range allCases() {
		if strings.HasPrefix(k.name, "mutex") {
			continue // a backend can not break these: they catch faults of the mutex
		}
		if !caught[k.name] {
			t.Errorf("no broken backend is caught by %q", k.name)
		}
	}
}

// TestSoundBackendPasses runs the same cases the same way against a backend that
// is not broken: what catches in TestZoo must be the fault, not the machinery.
func TestSoundBackendPasses(t *testing.T) {
	for name, sound := range map[string]struct {
		harness Harness
		cases   []kase
	}{
		"polls":   {toyHarness(nil), cases()},
		"in line": {lineHarness(nil), allCases()},
	} {
		for _, k := range sound.cases {
			if k.needs != nil {
				continue
			}
			t.Run(name+"/"+k.name, func(t *testing.T) {
				if failure := runCaught(t, sound.harness, k); failure != "" {
					t.Errorf("failed: %s", failure)
				}
			})
		}
	}
}

// allCases returns what a backend.Line has to pass.
func allCases() []kase { return append(cases(), casesInLine()...) }

// TestRunRunsAll holds that Run leaves out no case, and none about lines if there is
// one: it opens the store once for each, and once to look.
func TestRunRunsAll(t *testing.T) {
	for name, tt := range map[string]struct {
		harness Harness
		cases   int
	}{
		"polls":   {toyHarness(nil), len(cases())},
		"in line": {lineHarness(nil), len(allCases())},
	} {
		var opened atomic.Int64
		open := tt.harness.Open
		tt.harness.Open = func(tb testing.TB) Store { opened.Add(1); return open(tb) }
		t.Run(name, func(t *testing.T) { Run(t, tt.harness) })
		if want := int64(tt.cases) - needy(); opened.Load() != want+1 {
			t.Errorf("%s: the store was opened %d times for %d cases", name, opened.Load(), want)
		}
	}
}

// needy returns how many cases a harness of the toy does not have what it takes for.
func needy() (n int64) {
	for _, k := range allCases() {
		if k.needs != nil {
			n++
		}
	}
	return n
}

func caseNamed(t *testing.T, name string) kase {
	for _, k := range allCases() {
		if k.name == name {
			return k
		}
	}
	t.Fatalf("there is no case %q", name)
	return kase{}
}

// runCaught runs a case in a bubble and returns how it failed, "" if it passed.
func runCaught(t *testing.T, h Harness, k kase) (failure string) {
	run := func(t *testing.T) {
		r := &recorder{TB: t}
		done := make(chan struct{})
		go func() { // a goroutine of its own, for FailNow to end
			defer close(done)
			defer r.cleanUp()
			k.run(newC(r, h, k))
		}()
		<-done
		failure = r.failure()
		if h.Synctest {
			time.Sleep(2 * long) // the broken ones may have left something running
		}
	}
	if h.Synctest {
		synctest.Test(t, run)
	} else {
		run(t)
	}
	return failure
}
