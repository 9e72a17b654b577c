package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"strings"
	"syscall"

	"github.com/dislock/dislock/inspect"
)

const breakUsage = `dislock break [flags] KEY

Ends the lease of whoever holds KEY, after asking. The lock passes to the first
in line, or is free. It is for a holder that hangs: one that does not is told at
its next renewal, and until then two believe that they hold the lock. The next
one's fence is larger: what checks fences refuses the old one.

  -yes              do not ask
  -namespace NAME   what the names in Redis start with (dislock:)
  -url URL          the Redis (DISLOCK_URL)

Only the lease that was shown is ended. If it has ended by itself while you
thought about it, nothing happens to the next one.

Exit codes: 0 it is ended, 1 nothing was done (KEY is free, its lease is another
by now, or you said no), 64 bad usage, or stdin is no terminal to ask at, 69
Redis gave no answer, 130 it was interrupted: look again.
`

// breakLock ends a lease, after asking.
func breakLock(ctx context.Context, e env, args []string) int {
	q := e.query("break", breakUsage)
	yes := q.Bool("yes", false, "")
	r, code, done := q.open(e, args)
	if done {
		return code
	}
	defer r.close()
	if !r.one {
		return e.misuse("break: which KEY?")
	}
	columns, _, asks := windowOf(e.stdin)
	if !asks && !*yes {
		return e.misuse("break: it asks first, and stdin is no terminal; -yes does not ask")
	}

	s := r.snapshot(ctx)
	if s.err != nil {
		return r.unread(ctx, s.err)
	}
	seen := s.locks[0]
	if !seen.Held() {
		e.say("%s is free", printable(seen.Key))
		return exitFailed
	}
	if !*yes {
		for _, line := range table(s.locks, s.at, columns) {
			fmt.Fprintln(e.stderr, line)
		}
		fmt.Fprint(e.stderr, "\nA holder that is alive goes on until its next renewal.\nEnd its lease? [y/N] ")
		agreed, ok := await(ctx, e.agree)
		if !ok {
			fmt.Fprintln(e.stderr)
			return exitSignal(syscall.SIGINT)
		}
		if !agreed {
			e.say("nothing was done")
			return exitFailed
		}
	}
	return r.end(ctx, seen)
}

// end ends the lease that was seen, and says who has the lock now.
func (r *reader) end(ctx context.Context, seen inspect.Lock) int {
	var err error
	after, ok := await(ctx, func() (after inspect.Lock) {
		after, err = r.Break(ctx, seen)
		return after
	})
	switch {
	case !ok:
		r.say("interrupted: it may have been ended or not")
		return exitSignal(syscall.SIGINT)
	case errors.Is(err, inspect.ErrChanged):
		r.say("nothing was done: that lease has ended by itself")
		return exitFailed
	case err != nil:
		return r.unread(ctx, errors.Unwrap(err))
	case after.Held():
		fmt.Fprintf(r.stdout, "ended; it has passed to %s, with the fence %d\n", ownerOf(after), after.Fence)
	default:
		fmt.Fprintln(r.stdout, "ended; it is free")
	}
	return exitOK
}

func ownerOf(l inspect.Lock) string {
	if l.Owner == "" {
		return "an owner without a label"
	}
	return printable(l.Owner)
}

// agree reads the answer to a question, which is no unless it says yes.
func (e env) agree() bool {
	line, _ := bufio.NewReader(e.stdin).ReadString('\n')
	answer := strings.ToLower(strings.TrimSpace(line))
	return answer == "y" || answer == "yes"
}
