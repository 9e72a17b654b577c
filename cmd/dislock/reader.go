package main

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/dislock/dislock/inspect"
)

// A reader is what status, watch and break look at locks with.
type reader struct {
	env
	client redis.UniversalClient
	*inspect.Inspector

	key    string // the only one to look at
	one    bool   // whether there is one
	prefix string // otherwise, what keys begin with
}

// A query is the flags that say what to look at.
type query struct {
	*flag.FlagSet
	url, namespace, prefix string
}

func (e env) query(name, usage string) *query {
	q := &query{FlagSet: e.flags(name, usage)}
	q.StringVar(&q.url, "url", "", "")
	q.StringVar(&q.namespace, "namespace", "dislock:", "")
	return q
}

// open parses args into q and connects. If there is nothing left to do, done is true.
func (q *query) open(e env, args []string) (r *reader, code int, done bool) {
	if code, done = e.parse(q.FlagSet, args); done {
		return nil, code, true
	}
	r = &reader{env: e, key: q.Arg(0), one: q.NArg() == 1, prefix: q.prefix}
	switch {
	case q.NArg() > 1:
		return nil, e.misuse("%s: one KEY at a time, and flags before it", q.Name()), true
	case strings.ContainsAny(q.namespace, "{}"):
		return nil, e.misuse("%s: -namespace must not have braces", q.Name()), true
	case r.one && r.prefix != "":
		return nil, e.misuse("%s: a KEY or a -prefix, not both", q.Name()), true
	}
	client, err := e.connect(q.url)
	if err != nil {
		return nil, e.misuse("%v", err), true
	}
	r.client, r.Inspector = client, inspect.New(client, inspect.WithPrefix(q.namespace))
	return r, exitOK, false
}

func (r *reader) close() { _ = r.client.Close() }

// A snapshot is what there was to see.
type snapshot struct {
	locks []inspect.Lock // by key; a single one also if it is free
	at    time.Time
	odd   []error // keys that are no locks
	err   error   // why there may be more
}

// await returns what fn does, or false as soon as ctx ends, which a client library that
// waits for an answer may not notice, and nobody who reads from a terminal.
func await[T any](ctx context.Context, fn func() T) (result T, ok bool) {
	done := make(chan T, 1)
	go func() { done <- fn() }()
	select {
	case result = <-done:
		return result, true
	case <-ctx.Done():
		return result, false
	}
}

// snapshot reads what is to be looked at, unless ctx ends first.
func (r *reader) snapshot(ctx context.Context) snapshot {
	s, ok := await(ctx, func() snapshot { return r.read(ctx) })
	if !ok {
		s.err = ctx.Err()
	}
	return s
}

func (r *reader) read(ctx context.Context) (s snapshot) {
	if r.one {
		l, err := r.Lock(ctx, r.key)
		if s.err = errors.Unwrap(err); err == nil { // who reads it knows what was asked
			s.locks = []inspect.Lock{l}
		}
		s.at = time.Now()
		return s
	}
	for l, err := range r.Locks(ctx, r.prefix) {
		switch {
		case err == nil:
			s.locks = append(s.locks, l)
		case l.Key != "":
			s.odd = append(s.odd, err)
		default:
			s.err = errors.Unwrap(err)
		}
	}
	slices.SortFunc(s.locks, func(a, b inspect.Lock) int { return cmp.Compare(a.Key, b.Key) })
	s.at = time.Now()
	return s
}

// unread says what kept a snapshot from being taken, and returns what to exit with.
func (r *reader) unread(ctx context.Context, err error) int {
	if ctx.Err() != nil {
		return exitSignal(syscall.SIGINT)
	}
	r.say("%v", err)
	return exitUnavailable
}
