// Command fence shows what a fence is for, with a real database and real
// processes. Process A takes the lock and reads a balance, and is paused after
// its last look at its lease, which was good. The lease ends, B takes the lock
// and deposits. A goes on and writes what it believes is right; the account has
// seen a larger fence and refuses it.
//
//	go run .             # the stale write is refused, and nothing is lost
//	go run . -unfenced   # the same without the fence: the deposit of B is lost
//
// The lock is in the Redis at -redis or REDIS_URL, or in a redis-server of its
// own, which has to be installed then; the account is in a file of SQLite.
//
// The pattern itself is in account.go and teller.go, the rest is the stage. The
// command exits with 0 if the stale write was refused and the sum is exact, with
// 1 if not, and with 2 if it could not be started like this.
package main

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"
)

const (
	exitOK    = 0
	exitWrong = 1
	exitUsage = 2
)

// patience bounds a whole run, which takes a good second.
const patience = 30 * time.Second

func main() {
	if os.Getenv(childVariable) != "" {
		os.Exit(runChild())
	}
	os.Exit(run(os.Args[1:]))
}

func run(args []string) int {
	flags := flag.NewFlagSet("fence", flag.ContinueOnError)
	url := flags.String("redis", os.Getenv("REDIS_URL"), "`url` of the Redis for the lock; without it a redis-server is started")
	unfenced := flags.Bool("unfenced", false, "write without the fence, and lose a deposit")
	switch err := flags.Parse(args); {
	case errors.Is(err, flag.ErrHelp):
		return exitOK
	case err != nil:
		return exitUsage // the flag set has said why
	case flags.NArg() > 0:
		return fail(exitUsage, fmt.Errorf("unexpected argument %q; -h shows the flags", flags.Arg(0)))
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()

	s, err := newStage(*url, !*unfenced)
	if err != nil {
		return fail(exitUsage, err)
	}
	defer s.close()
	st := newStory(os.Stdout, s)
	if err := st.play(ctx); err != nil {
		return fail(exitWrong, cmp.Or(context.Cause(ctx), err))
	}
	if !st.verdict(ctx) {
		return exitWrong
	}
	return exitOK
}

func fail(code int, err error) int {
	fmt.Fprintln(os.Stderr, "fence:", err)
	return code
}
