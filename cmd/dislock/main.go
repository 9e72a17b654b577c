// Command dislock runs commands under a lock that many machines share, and shows who
// has which. See dislock -h, and the manual page dislock.1 beside this file.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"

	"github.com/redis/go-redis/v9/logging"
)

const usage = `dislock - locks that many machines share, over Redis

  dislock run [flags] KEY -- COMMAND ARGS...   run a command while holding KEY
  dislock status [flags] [KEY]                 who holds what, who waits
  dislock watch [flags] [KEY]                  the same, live
  dislock break [flags] KEY                    end a stuck holder's lease
  dislock version

Each has flags of its own: dislock run -h.

The Redis is given by -url or the variable DISLOCK_URL, as one of
  redis://user:password@host:port/db
  redis-sentinel://user:password@host:port,host:port/MASTER
  redis-cluster://user:password@host:port,host:port
or the same with rediss for TLS. What is on a command line, others can see.
`

func main() {
	logging.Disable() // go-redis tells of each connection that it can not make
	e := env{os.Stdin, os.Stdout, os.Stderr, os.Getenv}
	os.Exit(dispatch(e, os.Args[1:]))
}

// dispatch runs the subcommand that args begin with, and returns what to exit with.
func dispatch(e env, args []string) int {
	if len(args) == 0 {
		return e.misuse("what to do?")
	}
	name, args := args[0], args[1:]
	switch name {
	case "run": // it passes signals on
		return run(e, args)
	case "guard": // what run starts beside the command
		return guard(e, args)
	case "version", "-version", "--version":
		return version(e)
	case "help", "-h", "-help", "--help":
		fmt.Fprint(e.stdout, usage)
		return exitOK
	}

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	switch name {
	case "status":
		return status(ctx, e, args)
	case "watch":
		return watch(ctx, e, args)
	case "break":
		return breakLock(ctx, e, args)
	default:
		return e.misuse("there is no subcommand %q", name)
	}
}

func version(e env) int {
	v := "(unknown)"
	if info, ok := debug.ReadBuildInfo(); ok {
		v = info.Main.Version
	}
	fmt.Fprintln(e.stdout, "dislock", v)
	return exitOK
}
