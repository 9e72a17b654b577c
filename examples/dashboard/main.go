// Command dashboard is a program that uses locks, and has something to show: some
// processes contend, renewals fail, and now and then a lock is lost. It exports the
// metrics of its locks for Prometheus; dashboard.json shows them in Grafana, and
// alerts.yml says when somebody should look.
//
//	go run .                  # http://127.0.0.1:9464/metrics, until it is interrupted
//	go run . -every 0         # nothing goes wrong
//
// The locks are in the Redis at -redis or REDIS_URL, or in a redis-server of its
// own, which has to be installed then.
//
// How a program is measured is in metrics.go, the rest is the stage. The command
// exits with 0 when it has been interrupted or -for has passed, and with 2 if it
// could not be started like this.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"
)

const (
	exitOK    = 0
	exitUsage = 2
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	flags := flag.NewFlagSet("dashboard", flag.ContinueOnError)
	flags.SetOutput(stderr)
	url := flags.String("redis", os.Getenv("REDIS_URL"), "`url` of the Redis for the locks; without it a redis-server is started")
	listen := flags.String("listen", "127.0.0.1:9464", "`address` of the metrics; port 0 takes a free one")
	every := flags.Duration("every", 10*time.Second, "time between two faults; 0: nothing goes wrong")
	runFor := flags.Duration("for", 0, "how long to run; 0: until interrupted")
	switch err := flags.Parse(args); {
	case errors.Is(err, flag.ErrHelp):
		return exitOK
	case err != nil:
		return exitUsage // the flag set has said why
	case flags.NArg() > 0:
		return fail(stderr, fmt.Errorf("unexpected argument %q; -h shows the flags", flags.Arg(0)))
	case *every < 0 || *runFor < 0:
		return fail(stderr, errors.New("-every and -for must not be negative"))
	}
	if *runFor > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, *runFor)
		defer cancel()
	}
	redisURL, closeRedis, err := openRedis(*url)
	if err != nil {
		return fail(stderr, err)
	}
	defer closeRedis()
	listener, err := net.Listen("tcp", *listen)
	if err != nil {
		return fail(stderr, err)
	}
	metrics, locks := newMetrics()
	server := &http.Server{Handler: metrics, ReadHeaderTimeout: 5 * time.Second}
	served := make(chan struct{})
	go func() {
		defer close(served)
		_ = server.Serve(listener) // until it is closed
	}()
	fmt.Fprintf(stdout, "http://%s/metrics\n", listener.Addr())

	newStage(redisURL, locks).play(ctx, *every)
	_ = server.Close()
	<-served
	return exitOK
}

func fail(stderr io.Writer, err error) int {
	fmt.Fprintln(stderr, "dashboard:", err)
	return exitUsage
}
