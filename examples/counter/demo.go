package main

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"time"
)

// A demo is one run of the program: the same work twice.
type demo struct {
	settings
	screen *screen
	number number
	crew   crew
	close  func()
}

func label(worker int) string { return fmt.Sprintf("worker %d", worker) }

func newDemo(ctx context.Context, s settings, out *screen) (*demo, error) {
	d := &demo{settings: s, screen: out, close: func() {}}
	if s.Redis == "" {
		d.number = newMemoryNumber(s.Workers)
		d.crew = goroutines(s, d.number)
		return d, nil
	}
	server, err := openServer(s.Redis, s.driverOf(1))
	if err != nil {
		return nil, err
	}
	// Runs that share a server do not disturb each other.
	key := "counter-example:" + rand.Text()
	n := &redisNumber{server: server, key: key, workers: s.Workers}
	d.number = n
	d.crew = processes(s, key)
	d.close = func() {
		// Also after Ctrl-C, which has ended ctx. If the server is gone, so is the
		// hope to clean up there, and the keys expire.
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), patience)
		defer cancel()
		_ = n.remove(ctx)
		_ = server.close()
	}
	ping, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	if _, err := server.do(ping, "PING"); err != nil {
		_ = server.close()
		return nil, noServer(s.Redis, err)
	}
	return d, nil
}

// noServer says it in one line and without the password.
func noServer(url string, err error) error {
	opts, parseErr := parseURL(url)
	if parseErr != nil {
		return parseErr
	}
	var network *net.OpError
	if errors.As(err, &network) {
		err = network.Err
	}
	return fmt.Errorf("can not use the Redis at %s: %w", opts.Addr, err)
}

// show runs both phases and draws the timeline of the second.
func (d *demo) show(ctx context.Context) error {
	crew := "goroutines"
	if d.Redis != "" {
		crew = "processes"
	}
	d.screen.line("")
	d.screen.line("  %d %s add 1 to a number, %d times each: read it, pause %v, write.",
		d.Workers, crew, d.Count, d.Pause)
	d.screen.line("")
	without, err := d.phase(ctx, false)
	if err != nil {
		return err
	}
	d.screen.line("%s", without.summary(d.screen))
	with, err := d.phase(ctx, true)
	if err != nil {
		return err
	}
	d.screen.line("%s", with.summary(d.screen))
	d.screen.line("")
	for _, line := range with.history.timeline(d.screen) {
		d.screen.line("%s", line)
	}
	d.screen.line("")
	return cmp.Or(with.verdict(d.Count), without.verdict(d.Count))
}

// phase has all workers do their work once.
func (d *demo) phase(ctx context.Context, locked bool) (*outcome, error) {
	if err := d.number.reset(ctx); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	events := make(chan event, 64)
	go func() {
		defer close(events)
		d.crew(ctx, locked, events)
	}()

	began := time.Now()
	o := newOutcome(locked, d.Workers)
	defer d.screen.clear()
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	var broken error
	for {
		select {
		case e, ok := <-events:
			if !ok {
				if err := cmp.Or(broken, ctx.Err()); err != nil {
					return nil, err
				}
				o.took = time.Since(began)
				var err error
				o.state, err = d.look(ctx)
				return o, err
			}
			for _, news := range o.take(e) {
				d.screen.line("  %s", shorten(news, columns-2))
			}
		case <-tick.C:
			now, err := d.look(ctx)
			if err != nil {
				// Without the store nobody could go on. The end of ctx ends the
				// workers, and with the last of them this loop.
				broken = fmt.Errorf("the number can not be read: %w", err)
				tick.Stop()
				cancel()
				continue
			}
			d.screen.update(progress{locked, now, d.Workers * d.Count})
		}
	}
}

// look returns the state, or an error if the store does not answer.
func (d *demo) look(ctx context.Context) (state, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	return d.number.state(ctx)
}
