package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"time"
)

const watchUsage = `dislock watch [flags] [KEY]

Shows what dislock status shows, live, until you interrupt it. Where stdout is
no terminal it prints a line for each change instead: the time, the key, who
holds it with which fence, or that it is free, and how many stand in line.

  -prefix P         only keys that begin with P
  -every TIME       how often to look (1s, at least 100ms)
  -namespace NAME   what the names in Redis start with (dislock:)
  -url URL          the Redis (DISLOCK_URL)

Without KEY it walks all keys of the Redis each time: where these are millions,
not every second. Between two looks a lock may change hands more than once.

Exit codes: 0 it was interrupted, 64 bad usage, 69 Redis gave no answer the
first time. If it stops answering later, watch waits for it.
`

const fastest = 100 * time.Millisecond

// watch shows locks until ctx ends.
func watch(ctx context.Context, e env, args []string) int {
	q := e.query("watch", watchUsage)
	q.StringVar(&q.prefix, "prefix", "", "")
	every := q.Duration("every", time.Second, "")
	r, code, done := q.open(e, args)
	if done {
		return code
	}
	defer r.close()
	if *every < fastest {
		return e.misuse("watch: -every %v is below %v", *every, fastest)
	}

	first := r.snapshot(ctx)
	if first.err != nil && ctx.Err() == nil {
		return r.unread(ctx, first.err) // before the screen is taken, so that it is seen
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	looks := r.follow(ctx, *every)
	if _, _, ok := windowOf(e.stdout); ok && e.getenv("TERM") != "dumb" {
		newLive(e, *every).run(ctx, first, looks)
	} else {
		newChanges(e).run(ctx, first, looks)
	}
	return exitOK
}

// follow takes a snapshot every so often, until ctx ends.
func (r *reader) follow(ctx context.Context, every time.Duration) <-chan snapshot {
	looks := make(chan snapshot)
	go func() {
		tick := time.NewTicker(every)
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
			case <-ctx.Done():
				return
			}
			select {
			case looks <- r.snapshot(ctx):
			case <-ctx.Done():
				return
			}
		}
	}()
	return looks
}

// live shows snapshots on a screen.
type live struct {
	env
	screen screen
	every  time.Duration
	last   snapshot // that could be taken
	err    error    // why there is no newer one
}

func newLive(e env, every time.Duration) *live {
	return &live{env: e, every: every, screen: screen{out: e.stdout, bold: e.getenv("NO_COLOR") == ""}}
}

func (v *live) run(ctx context.Context, first snapshot, looks <-chan snapshot) {
	signals := make(chan os.Signal, 8)
	signal.Notify(signals, resized, suspended, continued)
	defer signal.Stop(signals)
	v.screen.enter()
	defer v.screen.leave()
	v.last = first
	for {
		v.draw()
		select {
		case s := <-looks:
			if v.err = s.err; s.err == nil {
				v.last = s
			}
		case sig := <-signals:
			switch sig {
			case suspended: // the shell needs its screen
				v.screen.leave()
				suspend()
			case continued:
				v.screen.enter()
			}
		case <-ctx.Done():
			return
		}
	}
}

func (v *live) draw() {
	columns, lines, _ := windowOf(v.stdout)
	v.screen.draw(v.lines(columns, lines))
}

// lines is what there is to see, no more than fits.
func (v *live) lines(columns, lines int) []string {
	held, waiting := 0, 0
	for _, l := range v.last.locks {
		waiting += l.Waiting
		if l.Held() {
			held++
		}
	}
	title := fmt.Sprintf("%s  %d held, %d waiting, every %v", v.last.at.Format(time.TimeOnly), held, waiting, v.every)
	if v.err != nil {
		title = fmt.Sprintf("as of %s; no answer since: %s", v.last.at.Format(time.TimeOnly), printable(v.err.Error()))
	} else if n := len(v.last.odd); n > 0 {
		title += fmt.Sprintf(", %d keys are no locks", n)
	}
	shown := []string{clip(title, columns)}
	if lines > 10 {
		shown = append(shown, "")
	}
	rows := table(v.last.locks, v.last.at, columns)
	room := max(lines-len(shown), 0)
	if len(rows) > room {
		rows = rows[:room] // of which the first names the columns
		if room > 0 {
			unseen := len(v.last.locks) - max(room-2, 0)
			rows[room-1] = clip(fmt.Sprintf("and %d more", unseen), columns)
		}
	}
	return append(shown, rows...)
}
