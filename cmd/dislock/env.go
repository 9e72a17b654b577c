package main

import (
	"errors"
	"flag"
	"fmt"
	"io"

	"github.com/redis/go-redis/v9"
)

// An env is what a subcommand has of the world around it.
type env struct {
	stdin          io.Reader
	stdout, stderr io.Writer
	getenv         func(string) string
}

// say prints a line for people, on stderr, so that stdout is the command's own.
func (e env) say(format string, args ...any) {
	fmt.Fprintf(e.stderr, "dislock: "+format+"\n", args...)
}

// misuse says what is wrong with the command line, and returns the exit code for it.
func (e env) misuse(format string, args ...any) int {
	e.say(format+" (dislock -h says how)", args...)
	return exitUsage
}

// flags returns a set of flags for a subcommand whose whole help is usage.
func (e env) flags(name, usage string) *flag.FlagSet {
	fs := flag.NewFlagSet(name, flag.ContinueOnError)
	fs.SetOutput(io.Discard) // parse says it
	fs.Usage = func() { fmt.Fprint(e.stdout, usage) }
	return fs
}

// parse parses args. If there is nothing left to do, because help was asked for or a
// flag is wrong, done is true and code is what to exit with.
func (e env) parse(fs *flag.FlagSet, args []string) (code int, done bool) {
	usage := fs.Usage
	fs.Usage = func() {} // package flag calls it for a wrong flag, too
	switch err := fs.Parse(args); {
	case errors.Is(err, flag.ErrHelp):
		usage()
		return exitOK, true
	case err != nil:
		return e.misuse("%s: %v", fs.Name(), err), true
	}
	return exitOK, false
}

// connect returns a client for url, or for the one in DISLOCK_URL if it is empty. It
// asks nothing of the server yet. The error says what is wrong with the URL, and
// nothing that could be a password.
func (e env) connect(url string) (redis.UniversalClient, error) {
	if url == "" {
		url = e.getenv("DISLOCK_URL")
	}
	if url == "" {
		return nil, errors.New("which Redis? Give -url or set DISLOCK_URL, to redis://localhost:6379 for one")
	}
	return open(url)
}
