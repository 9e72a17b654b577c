package prometheus_test

import (
	"context"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/dislock/dislock"
	"github.com/dislock/dislock/backend/faulty"
	"github.com/dislock/dislock/metrics/prometheus"
	client "github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
)

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
