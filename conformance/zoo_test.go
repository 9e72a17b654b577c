package conformance

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// A suite proves nothing until it has been seen to fail. TestZoo runs it against
// backends that are broken on purpose, in the ways in which real ones were: each
// must be caught by the case that is named for the clause that it breaks.
func TestZoo(t *testing.T) {
	for _, animal := range zoo {
		t.Run(animal.name, func(t *testing.T) {
			h := toyHarness(animal.breakIt)
			if animal.harness != nil {
				h = animal.harness()
			}
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
	for _, animal := range zoo {
		caught[animal.caught] = true
	}
	for _, k := range cases() {
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
	for _, k := range cases() {
		if k.needs != nil {
			continue
		}
		t.Run(k.name, func(t *testing.T) {
			if failure := runCaught(t, toyHarness(nil), k); failure != "" {
				t.Errorf("failed: %s", failure)
			}
		})
	}
}

func caseNamed(t *testing.T, name string) kase {
	for _, k := range cases() {
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
