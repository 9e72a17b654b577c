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

// withoutEchoes returns the records without the stalls that are the doing of another
// fault, and would be counted as a second one.
func withoutEchoes(records []history.Record) []history.Record {
	done := make(map[string][]history.Record)
	for _, r := range records {
		if r.What == history.Fault && r.Text != Stalled {
			done[r.Target] = append(done[r.Target], r)
		}
	}
	return slices.DeleteFunc(records, func(r history.Record) bool {
		return r.What == history.Fault && r.Text == Stalled && slices.ContainsFunc(done[r.Target], func(f history.Record) bool {
			return r.At <= f.At+f.For && f.At <= r.At+r.For
		})
	})
}

// watch notes when the machine does not let the server answer, until the test ends.
func (w *world) watch() {
	stop, stopped := make(chan struct{}), make(chan struct{})
	w.Cleanup(func() { close(stop); <-stopped })
	go func() {
		defer close(stopped)
		tick := time.NewTicker(Stall / 4)
		defer tick.Stop()
		for {
			select {
			case <-stop:
				return
			case <-tick.C:
			}
			at := history.Now()
			_, _ = w.admin("PING") // it may be down, which is noted by whoever did it
			if took := history.Now() - at; took > int64(Stall) {
				_ = w.log.Add(history.Record{What: history.Fault, At: at, For: took, Text: Stalled})
			}
		}
	}()
}
