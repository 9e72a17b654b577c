package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"net/url"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/dislock/dislock"
)

const (
	maxWorkers = 64
	maxCount   = 100_000
)

const usage = `Usage: counter [flags]

Workers add 1 to a shared number, first without the lock, then with it.

  -redis url        put number and lock into this Redis, and make the workers
                    processes; without it they are goroutines, all in memory
  -driver name      goredis, redigo or mixed (with -redis; default goredis)
  -workers n        how many workers (default 8)
  -count n          how often each adds 1 (default 8)
  -pause duration   how long each pauses between read and write (default 40ms)
  -ttl duration     how long a dead worker still has the lock (default 2s)

Example: counter -redis redis://localhost:6379/0 -driver mixed
`

// settings are what the flags say. They travel to worker processes as JSON.
type settings struct {
	Redis   string
	Driver  string
	Workers int
	Count   int
	Pause   time.Duration
	TTL     time.Duration
}

// parseFlags returns an error that fits into one line.
func parseFlags(args []string) (settings, error) {
	var s settings
	flags := flag.NewFlagSet("counter", flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	flags.StringVar(&s.Redis, "redis", "", "")
	flags.StringVar(&s.Driver, "driver", "goredis", "")
	flags.IntVar(&s.Workers, "workers", 8, "")
	flags.IntVar(&s.Count, "count", 8, "")
	flags.DurationVar(&s.Pause, "pause", 40*time.Millisecond, "")
	flags.DurationVar(&s.TTL, "ttl", 2*time.Second, "")
	if err := flags.Parse(args); err != nil {
		return s, err
	}
	if flags.NArg() > 0 {
		return s, fmt.Errorf("unexpected argument %q; -h shows the flags", flags.Arg(0))
	}
	if err := s.validate(); err != nil {
		return s, err
	}
	given := make(map[string]bool)
	flags.Visit(func(f *flag.Flag) { given[f.Name] = true })
	switch {
	case given["redis"]:
		_, err := parseURL(s.Redis)
		return s, err
	case given["driver"]:
		return s, errors.New("-driver needs -redis, too")
	}
	return s, nil
}

func (s settings) validate() error {
	switch {
	case s.Driver != "goredis" && s.Driver != "redigo" && s.Driver != "mixed":
		return fmt.Errorf("-driver %q is none of goredis, redigo and mixed", s.Driver)
	case s.Workers < 1 || s.Workers > maxWorkers:
		return fmt.Errorf("-workers %d is not between 1 and %d", s.Workers, maxWorkers)
	case s.Count < 1 || s.Count > maxCount:
		return fmt.Errorf("-count %d is not between 1 and %d", s.Count, maxCount)
	case s.Pause < time.Millisecond:
		return fmt.Errorf("-pause %v is below 1ms", s.Pause)
	case s.TTL < dislock.MinTTL:
		return fmt.Errorf("-ttl %v is below the minimum of %v", s.TTL, dislock.MinTTL)
	}
	return nil
}

// driverOf returns the client library of one worker.
func (s settings) driverOf(worker int) string {
	switch {
	case s.Driver != "mixed":
		return s.Driver
	case worker%2 == 0:
		return "redigo"
	default:
		return "goredis"
	}
}

// parseURL reads the URL once for both client libraries, which differ in what
// they accept. The error never shows the URL, because there may be a password in
// it.
func parseURL(s string) (*redis.Options, error) {
	opts, err := redis.ParseURL(s)
	if err == nil {
		return opts, nil
	}
	var parse *url.Error
	if errors.As(err, &parse) {
		err = parse.Err
	}
	return nil, fmt.Errorf("-redis is not a URL like redis://localhost:6379/0: %s",
		strings.TrimPrefix(err.Error(), "redis: "))
}
