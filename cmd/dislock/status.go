package main

import (
	"context"
	"fmt"
)

const statusUsage = `dislock status [flags] [KEY]

Shows who holds KEY, or all that is held: the owner's label, since when, the
fence, for how long unless it is renewed, and how many stand in line.

  -prefix P         only keys that begin with P
  -json             one JSON object a line: key, held, owner, fence, since,
                    ttl_seconds, waiting; what is not known is not there
  -namespace NAME   what the names in Redis start with (dislock:)
  -url URL          the Redis (DISLOCK_URL)

Without KEY it walks all keys of the Redis. A lock is shown as it was at one
moment; by now it may be another's. A dash is what is not known: other clients
of the recipe have no label and no fence.

Exit codes: 0 something is held, 1 nothing is, or KEY is free, 64 bad usage,
69 Redis gave no answer, or did not let us look, 130 interrupted.
`

// status shows locks, once.
func status(ctx context.Context, e env, args []string) int {
	q := e.query("status", statusUsage)
	q.StringVar(&q.prefix, "prefix", "", "")
	asJSON := q.Bool("json", false, "")
	r, code, done := q.open(e, args)
	if done {
		return code
	}
	defer r.close()

	s := r.snapshot(ctx)
	if s.err != nil {
		return r.unread(ctx, s.err)
	}
	for _, err := range s.odd {
		e.say("%v", err)
	}
	code = exitFailed
	for _, l := range s.locks {
		if l.Held() {
			code = exitOK
		}
		if *asJSON {
			if err := writeJSON(e.stdout, l); err != nil {
				e.say("%v", err)
				return exitUnavailable
			}
		}
	}
	switch {
	case *asJSON:
	case len(s.locks) == 0:
		e.say("nothing is held")
	default:
		columns, _, _ := windowOf(e.stdout)
		for _, line := range table(s.locks, s.at, columns) {
			fmt.Fprintln(e.stdout, line)
		}
	}
	return code
}
