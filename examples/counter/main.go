// Command counter shows what a lock is for. Several workers add 1 to one shared
// number, each in the most naive way: read it, pause, write back one more. First
// they do it without a lock, and updates get lost; then with one, and none is.
// At the end it draws who held the lock when.
//
//	go run ./examples/counter
//
// needs nothing: the workers are goroutines, the lock and the number are in
// memory. With a Redis server the workers are processes, and the lock and the
// number are in Redis:
//
//	go run ./examples/counter -redis redis://localhost:6379/0
//	go run ./examples/counter -redis redis://localhost:6379/0 -driver mixed
//
// Any of the processes may be killed while they work. If it held the lock, the
// others get it when the lease has run out, and the number is still right.
//
// The lock itself is in worker.go, the rest is the show around it. The command
// exits with 0 if the number was right with the lock, with 1 if it was not or the
// run broke off, with 2 if it was not to be started like this, and with 130 if it
// was interrupted.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/redis/go-redis/v9/logging"
)

const (
	exitOK          = 0
	exitWrong       = 1
	exitUsage       = 2
	exitInterrupted = 130
)

func main() {
	// What goes wrong comes back as an error, and is said once.
	logging.Disable()
	if os.Getenv(workerVariable) != "" {
		os.Exit(runWorkerProcess())
	}
	os.Exit(run(os.Args[1:]))
}

func run(args []string) int {
	s, err := parseFlags(args)
	if errors.Is(err, flag.ErrHelp) {
		fmt.Print(usage)
		return exitOK
	}
	if err != nil {
		return fail(exitUsage, err)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()

	d, err := newDemo(ctx, s, newScreen(os.Stdout))
	if err != nil {
		return fail(exitUsage, err)
	}
	err = d.show(ctx)
	d.close()
	switch {
	case ctx.Err() != nil:
		return fail(exitInterrupted, errors.New("interrupted"))
	case err != nil:
		return fail(exitWrong, err)
	}
	return exitOK
}

func fail(code int, err error) int {
	fmt.Fprintln(os.Stderr, "counter:", oneLine(err))
	return code
}
