package main

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"os"
	"os/signal"
	"time"

	"github.com/dislock/dislock"
)

// childVariable makes this program a teller instead of the whole show.
const childVariable = "DISLOCK_FENCE_TELLER"

// A job is what a teller reads from its standard input, which stays open for as
// long as the parent lives.
type job struct {
	Name   string
	Redis  string // URL; not an argument, because there may be a password in it
	Key    string // of the lock
	File   string // of the database
	Fenced bool
	TTL    time.Duration
	Amount int
	Times  int // how many deposits of that amount
}

// quiet says nothing. Whatever matters here comes back as an error.
var quiet = slog.New(slog.DiscardHandler)

// runChild is main for a teller.
func runChild() int {
	// Ctrl-C reaches all processes of a terminal. The parent decides what it means.
	signal.Ignore(os.Interrupt)

	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	stdin, stdout := json.NewDecoder(os.Stdin), json.NewEncoder(os.Stdout)
	var j job
	if err := stdin.Decode(&j); err != nil {
		return exitUsage
	}
	words := make(chan struct{})
	go func() {
		defer cancel() // the parent is gone
		for {
			var word bool
			if stdin.Decode(&word) != nil {
				return
			}
			words <- struct{}{}
		}
	}()

	tell := func(e event) {
		if stdout.Encode(e) != nil {
			cancel() // nobody listens any more
		}
	}
	pause := func(ctx context.Context) error {
		select {
		case <-words:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	if err := j.do(ctx, tell, pause); err != nil {
		tell(event{What: failed, At: time.Now(), Text: err.Error()})
		return exitWrong
	}
	return exitOK
}

func (j job) do(ctx context.Context, tell func(event), pause func(context.Context) error) (err error) {
	store, closeStore := openStore(j.Redis)
	defer closeStore()
	a, err := openAccount(j.File, j.Fenced)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, a.close()) }()
	t := &teller{job: j, account: a, tell: tell, pause: pause}
	t.mu = dislock.New(store, j.Key,
		dislock.WithTTL(j.TTL),
		dislock.WithOwner(j.Name),
		dislock.WithLogger(quiet),
		dislock.WithHooks(dislock.Hooks{Waiting: func(info dislock.WaitingInfo) {
			tell(event{What: waits, At: time.Now(), Text: info.Reason.Error()})
		}}))
	return t.run(ctx)
}
