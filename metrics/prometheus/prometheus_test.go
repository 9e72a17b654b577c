package prometheus_test

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/dislock/dislock"
	"github.com/dislock/dislock/backend/faulty"
	"github.com/dislock/dislock/backend/memory"
	"github.com/dislock/dislock/metrics/prometheus"
	client "github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
)

// A fixture is a Mutex that is measured, on a memory store.
type fixture struct {
	*dislock.Mutex
	store   *memory.Store
	faults  *faulty.Backend
	metrics *prometheus.Metrics
	reg     *client.Registry
}

var quiet = dislock.WithLogger(slog.New(slog.NewTextHandler(io.Discard, nil)))

func newFixture(opts ...dislock.Option) *fixture {
	f := &fixture{store: memory.New(), reg: client.NewPedanticRegistry()}
	f.faults = faulty.New(f.store)
	f.metrics = prometheus.New(f.reg)
	f.Mutex = f.mutex("invoices", opts...)
	return f
}

func (f *fixture) mutex(class string, opts ...dislock.Option) *dislock.Mutex {
	opts = append([]dislock.Option{quiet, dislock.WithHooks(f.metrics.Hooks(class))}, opts...)
	return dislock.New(f.faults, class+":1", opts...)
}

// value returns what the series holds, or of a histogram how many were observed and
// their sum.
func (f *fixture) value(t *testing.T, name string, labels ...string) (value, sum float64) {
	t.Helper()
	families, err := f.reg.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, family := range families {
		if family.GetName() != name {
			continue
		}
		for _, m := range family.GetMetric() {
			var got []string
			for _, l := range m.GetLabel() {
				got = append(got, l.GetValue())
			}
			if strings.Join(got, " ") != strings.Join(labels, " ") { // sorted by name: cause, class, reason
				continue
			}
			switch {
			case m.Histogram != nil:
				return float64(m.Histogram.GetSampleCount()), m.Histogram.GetSampleSum()
			case m.Counter != nil:
				return m.Counter.GetValue(), 0
			default:
				return m.Gauge.GetValue(), 0
			}
		}
	}
	t.Fatalf("no series %s%v", name, labels)
	return 0, 0
}

func (f *fixture) want(t *testing.T, want float64, name string, labels ...string) {
	t.Helper()
	if got, _ := f.value(t, name, labels...); got != want {
		t.Errorf("%s%v is %v, want %v", name, labels, got, want)
	}
}

func (f *fixture) wantTimes(t *testing.T, n float64, sum time.Duration, name string) {
	t.Helper()
	got, gotSum := f.value(t, name, "invoices")
	if got != n || gotSum < sum.Seconds()-1e-6 || gotSum > sum.Seconds()+1e-6 {
		t.Errorf("%s has %v that sum up to %v s, want %v and %v", name, got, gotSum, n, sum)
	}
}

func TestTimes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(dislock.WithTTL(30 * time.Second))
		f.Lock()
		f.want(t, 1, "dislock_held", "invoices")
		second := make(chan struct{})
		go func() {
			defer close(second)
			f.Lock()
			time.Sleep(time.Second)
			f.Unlock()
		}()
		synctest.Wait()
		f.want(t, 1, "dislock_waiting", "invoices")
		time.Sleep(15 * time.Second)
		f.Unlock()
		<-second

		f.wantTimes(t, 2, 15*time.Second, "dislock_wait_seconds")
		f.wantTimes(t, 2, 16*time.Second, "dislock_hold_seconds")
		f.wantTimes(t, 1, 0, "dislock_renewal_seconds")
		f.want(t, 0, "dislock_held", "invoices")
		f.want(t, 1, "dislock_waits_total", "invoices", "held")
		f.want(t, 0, "dislock_waits_total", "invoices", "unavailable")
		f.want(t, 0, "dislock_waiting", "invoices")
		f.want(t, 0, "dislock_give_ups_total", "invoices", "held")
	})
}

// Who gives up waits no longer, and is told apart by what it waited for.
func TestGiveUps(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture()
		giveUp := func() {
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			if _, err := f.LockContext(ctx); err == nil {
				t.Error("locked")
			}
		}
		f.Lock()
		giveUp()
		giveUp()
		f.Unlock()
		f.faults.All(faulty.SetNX, faulty.LoseRequest)
		giveUp()
		f.faults.All(faulty.SetNX, nil)
		f.want(t, 0, "dislock_waiting", "invoices")
		f.want(t, 2, "dislock_give_ups_total", "invoices", "held")
		f.want(t, 1, "dislock_give_ups_total", "invoices", "unavailable")
	})
}

func TestLossesByCause(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(dislock.WithTTL(3*time.Second), dislock.WithMaxHold(10*time.Second))
		lose := func(how func()) {
			f.Lock()
			how()
			time.Sleep(11 * time.Second)
			f.Unlock()
		}
		lose(func() { f.store.Flush() })
		lose(func() { f.store.Flush() })
		lose(func() { f.faults.All(faulty.ExpireIfOwner, faulty.LoseRequest) })
		f.faults.All(faulty.ExpireIfOwner, nil)
		lose(func() {})

		f.want(t, 2, "dislock_losses_total", "not_owner", "invoices")
		f.want(t, 1, "dislock_losses_total", "deadline", "invoices")
		f.want(t, 1, "dislock_losses_total", "max_hold", "invoices")
		f.want(t, 0, "dislock_held", "invoices")
		if n, _ := f.value(t, "dislock_hold_seconds", "invoices"); n != 4 {
			t.Errorf("%v holds, want 4", n)
		}
		if n, _ := f.value(t, "dislock_renewal_failures_total", "invoices"); n < 2 {
			t.Errorf("%v failed renewals, want some", n)
		}
	})
}

// A closed group is told apart from a loss that somebody has to look at.
func TestClosedGroup(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		group := dislock.NewGroup()
		f := newFixture(dislock.WithGroup(group))
		f.Lock()
		if err := group.Close(t.Context()); err != nil {
			t.Error(err)
		}
		f.Unlock()
		f.want(t, 1, "dislock_losses_total", "closed", "invoices")
		f.want(t, 0, "dislock_losses_total", "not_owner", "invoices")
		f.want(t, 0, "dislock_held", "invoices")
	})
}

func TestUnavailableStore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture()
		f.faults.Next(faulty.SetNX, faulty.LoseRequest)
		f.Lock()
		f.want(t, 1, "dislock_waits_total", "invoices", "unavailable")
		f.want(t, 0, "dislock_waits_total", "invoices", "held")
		f.Unlock()
	})
}

// An Unlock that is repeated until it succeeds ends one hold, not several.
func TestRepeatedUnlock(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture()
		for range 2 {
			lease, err := f.LockContext(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			f.faults.All(faulty.DeleteIfOwner, faulty.Freeze)
			for range 2 {
				if err := lease.Unlock(t.Context()); !errors.Is(err, dislock.ErrUnavailable) {
					t.Fatalf("Unlock: %v, want ErrUnavailable", err)
				}
			}
			f.faults.All(faulty.DeleteIfOwner, nil)
			if err := lease.Unlock(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		f.want(t, 0, "dislock_held", "invoices")
		f.want(t, 4, "dislock_release_failures_total", "invoices")
		if n, _ := f.value(t, "dislock_hold_seconds", "invoices"); n != 2 {
			t.Errorf("%v holds, want 2", n)
		}
		time.Sleep(time.Minute) // what gives the key back in the background ends
	})
}

// Before anything has happened all series are there, at 0: otherwise the first loss
// would not be an increase.
func TestSeriesBeginAtZero(t *testing.T) {
	f := newFixture()
	const want = `
# HELP dislock_losses_total Leases that ended before they were unlocked.
# TYPE dislock_losses_total counter
dislock_losses_total{cause="closed",class="invoices"} 0
dislock_losses_total{cause="deadline",class="invoices"} 0
dislock_losses_total{cause="max_hold",class="invoices"} 0
dislock_losses_total{cause="not_owner",class="invoices"} 0
`
	if err := testutil.GatherAndCompare(f.reg, strings.NewReader(want), "dislock_losses_total"); err != nil {
		t.Error(err)
	}
	if n, err := testutil.GatherAndCount(f.reg); err != nil || n != 15 {
		t.Errorf("%d series, %v; want 15", n, err)
	}
	problems, err := testutil.GatherAndLint(f.reg)
	if err != nil || len(problems) > 0 {
		t.Errorf("names: %v, %v", problems, err)
	}
}

// Many goroutines pass the lock on, and lose it, over and over: every hold that
// began also ended.
func TestCrowd(t *testing.T) {
	f := newFixture(dislock.WithTTL(300*time.Millisecond), dislock.WithPassing(time.Hour))
	reports := f.mutex("reports")
	var crowd sync.WaitGroup
	const goroutines, rounds = 8, 200
	for range goroutines {
		crowd.Go(func() {
			for i := range rounds {
				if i%50 == 0 {
					f.store.Flush()
				}
				for _, mu := range []*dislock.Mutex{f.Mutex, reports} {
					mu.Lock()
					if i%50 == 1 {
						time.Sleep(time.Millisecond)
					}
					mu.Unlock()
				}
			}
		})
	}
	crowd.Wait()
	for _, class := range []string{"invoices", "reports"} {
		f.want(t, 0, "dislock_held", class)
		f.want(t, 0, "dislock_waiting", class)
		f.want(t, goroutines*rounds, "dislock_wait_seconds", class)
		f.want(t, goroutines*rounds, "dislock_hold_seconds", class)
	}
}

func TestWhatNewAndHooksRefuse(t *testing.T) {
	reg := client.NewRegistry()
	m := prometheus.New(reg)
	for name, f := range map[string]func(){
		"a second New":     func() { prometheus.New(reg) },
		"an empty class":   func() { m.Hooks("") },
		"a class of bytes": func() { m.Hooks("\xff") },
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s does not panic", name)
				}
			}()
			f()
		}()
	}
}

// A hold that is measured allocates as much as one that is not.
func TestHooksDoNotAllocate(t *testing.T) {
	hooks := prometheus.New(client.NewRegistry()).Hooks("invoices")
	held := error(dislock.ErrHeld)
	if n := testing.AllocsPerRun(100, func() {
		hooks.Waiting(dislock.WaitingInfo{Key: "invoices:1", Reason: held})
		hooks.GaveUp(dislock.GaveUpInfo{Key: "invoices:1", Took: time.Second, Err: held})
		hooks.Acquired(dislock.AcquiredInfo{Key: "invoices:1", Fence: 1, Took: time.Millisecond, Attempts: 1})
		hooks.Renewed(dislock.RenewedInfo{Key: "invoices:1", Fence: 1, Took: time.Millisecond})
		hooks.Released(dislock.ReleasedInfo{Key: "invoices:1", Fence: 1, Held: time.Second})
	}); n != 0 {
		t.Errorf("%v allocations, want none", n)
	}
}

func BenchmarkLockUnlock(b *testing.B) {
	for name, opts := range map[string][]dislock.Option{
		"bare":     nil,
		"measured": {dislock.WithHooks(prometheus.New(client.NewRegistry()).Hooks("invoices"))},
	} {
		b.Run(name, func(b *testing.B) {
			mu := dislock.New(memory.New(), "invoices:1", opts...)
			b.ReportAllocs()
			for b.Loop() {
				lease, err := mu.LockContext(context.Background())
				if err != nil {
					b.Fatal(err)
				}
				_ = lease.Unlock(context.Background())
			}
		})
	}
}
