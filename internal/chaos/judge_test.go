//go:build unix

package chaos

import (
	"slices"
	"time"

	"github.com/dislock/dislock/internal/history"
)

var rules = history.Rules{TTL: ttl, Notice: notice, Slack: slack}

// history judges what has been noted until now.
func (w *world) history() history.Report {
	w.Helper()
	now := history.Now()
	records, err := history.Read(w.dir)
	if err != nil {
		w.Fatal(err)
	}
	records = slices.DeleteFunc(records, func(r history.Record) bool { return r.At > now })
	return history.Check(withoutEchoes(records), rules)
}

// withoutEchoes returns the records, but of the stalls only what is not the doing of
// another fault, and would be counted as a second one.
func withoutEchoes(records []history.Record) []history.Record {
	done := make(map[string][]history.Record)
	for _, r := range records {
		if r.What == history.Forgot || r.What == history.Fault && r.Text != Stalled {
			done[r.Target] = append(done[r.Target], r)
		}
	}
	return slices.DeleteFunc(records, func(r history.Record) bool {
		if r.What != history.Fault || r.Text != Stalled {
			return false
		}
		from, to := r.At, r.At+r.For
		for _, f := range done[r.Target] {
			if f.At <= to && from <= f.At+f.For {
				from = max(from, f.At+f.For)
			}
		}
		return to-from < int64(Stall)
	})
}

// watch notes when the machine does not let the server answer, or this process ask, by
// way of which all connections go, until the test ends.
func (w *world) watch() {
	stop, stopped := make(chan struct{}), make(chan struct{})
	w.Cleanup(func() { close(stop); <-stopped })
	go func() {
		defer close(stopped)
		tick := time.NewTicker(Stall / 4)
		defer tick.Stop()
		for at := history.Now(); ; at = history.Now() {
			select {
			case <-stop:
				return
			case <-tick.C:
			}
			_, _ = w.admin("PING") // it may be down, which is noted by whoever did it
			if took := history.Now() - at; took > int64(Stall) {
				_ = w.log.Add(history.Record{What: history.Fault, At: at, For: took, Text: Stalled})
			}
		}
	}()
}
