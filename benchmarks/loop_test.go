package main

import (
	"context"
	"path/filepath"
	"runtime"
	"sync"
	"testing"
	"time"
)

// fakeClient has locks within this process, or what looks like them.
type fakeClient struct {
	lock func() lock
}

func (c fakeClient) locks(_ string, n int) []lock {
	l := c.lock()
	locks := make([]lock, n)
	for i := range locks {
		locks[i] = l
	}
	return locks
}

func (fakeClient) close() {}

type goodLock struct{ sync.Mutex }

func (l *goodLock) Lock(context.Context) error   { l.Mutex.Lock(); return nil }
func (l *goodLock) Unlock(context.Context) error { l.Mutex.Unlock(); return nil }

// noLock lets everybody in.
type noLock struct{}

func (noLock) Lock(context.Context) error   { return nil }
func (noLock) Unlock(context.Context) error { return nil }

// forgetfulLock grants once, and never again.
type forgetfulLock struct{ once sync.Once }

func (l *forgetfulLock) Lock(ctx context.Context) error {
	granted := false
	l.once.Do(func() { granted = true })
	if granted {
		return nil
	}
	<-ctx.Done()
	return ctx.Err()
}

func (l *forgetfulLock) Unlock(context.Context) error { return nil }

// impatientLock gives up twice before it waits.
type impatientLock struct {
	goodLock
	calls int
}

func (l *impatientLock) Lock(ctx context.Context) error {
	if l.calls++; l.calls <= 2 {
		return errGaveUp
	}
	return l.goodLock.Lock(ctx)
}

func runLoop(t *testing.T, l lock, goroutines int) (*loopResult, int64) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "witness")
	if err := createWitness(path); err != nil {
		t.Fatal(err)
	}
	w, err := openWitness(path)
	if err != nil {
		t.Fatal(err)
	}
	defer w.close()
	start := now()
	o := loopOrder{Goroutines: goroutines, Witness: path, Begin: start, Start: start}
	o.End = start + int64(150*time.Millisecond)
	o.Bound = o.End + int64(afterwards)
	r, err := loop(fakeClient{func() lock { return l }}, "key", o)
	if err != nil {
		t.Fatal(err)
	}
	return r, w.counted()
}

func TestLoopOfALockThatWorks(t *testing.T) {
	r, counted := runLoop(t, &goodLock{}, 8)
	if r.Turns == 0 || r.Entered < int64(r.Turns) || counted != r.Entered || r.Waits.total() < r.Turns {
		t.Errorf("turns %d, entered %d, counted %d, waits %d", r.Turns, r.Entered, counted, r.Waits.total())
	}
	if r.Overlaps+r.Hung+r.GaveUp+r.Errors > 0 {
		t.Errorf("it is accused of %+v", *r)
	}
}

func TestLoopSeesThatNothingIsExcluded(t *testing.T) {
	if runtime.GOMAXPROCS(0) == 1 {
		t.Skip("NOT TESTED: with one processor nobody gets in between")
	}
	if r, _ := runLoop(t, noLock{}, 8); r.Overlaps == 0 {
		t.Errorf("no overlap in %d turns", r.Turns)
	}
}

func TestLoopSeesForgottenWaiters(t *testing.T) {
	start := time.Now()
	if r, _ := runLoop(t, &forgetfulLock{}, 3); r.Hung != 3 || r.Turns != 1 {
		t.Errorf("%d hung after %d turns, want 3 after 1", r.Hung, r.Turns)
	}
	if took := time.Since(start); took > afterwards {
		t.Errorf("it took %v to notice", took)
	}
}

func TestLoopGoesOnWhenTheLibraryGivesUp(t *testing.T) {
	if r, _ := runLoop(t, &impatientLock{}, 1); r.GaveUp != 2 || r.Turns == 0 || r.Errors+r.Hung > 0 {
		t.Errorf("gave up %d times, want 2: %+v", r.GaveUp, *r)
	}
}

func TestWitness(t *testing.T) {
	path := filepath.Join(t.TempDir(), "witness")
	if err := createWitness(path); err != nil {
		t.Fatal(err)
	}
	one, err := openWitness(path)
	if err != nil {
		t.Fatal(err)
	}
	defer one.close()
	two, err := openWitness(path) // as another process would
	if err != nil {
		t.Fatal(err)
	}
	defer two.close()
	if one.enter() {
		t.Error("the first one is told of another")
	}
	if !two.enter() {
		t.Error("the second one is not told of the first")
	}
	one.leave()
	two.leave()
	if two.enter() || one.counted() != 3 {
		t.Errorf("%d counted, want 3", one.counted())
	}
}
