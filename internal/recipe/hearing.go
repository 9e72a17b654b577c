package recipe

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"
)

const (
	// pingEvery is how often a connection that may have died in silence is asked for
	// a word; after twice that without one it is given up.
	pingEvery = 5 * time.Second

	// linger is for how long a backend goes on listening when nobody waits.
	linger = 10 * time.Second

	// subscribeTimeout bounds how long it may take to be heard of.
	subscribeTimeout = 5 * time.Second

	minRetry = 100 * time.Millisecond
	maxRetry = 10 * time.Second

	// backSoon is the longest pause between two attempts for as long as outage after a
	// good connection broke: a server that restarts or fails over is back some time.
	backSoon = time.Second
	outage   = time.Minute

	// grace is for how long after a good connection broke a failure to make a new one
	// proves nothing: a pool may have more connections that are dead by now.
	grace = time.Second
)

var (
	errIdle  = errors.New("nobody waits")
	errAlone = errors.New("what is published does not reach the subscription")
)

// run listens until nobody has waited for a while or ctx ends.
func (l *listener) run(ctx context.Context, ended chan struct{}) {
	defer close(ended)
	for pause := minRetry; ; pause = min(2*pause, l.patience()) {
		start := time.Now()
		heard, err := l.attend(ctx)
		over, news := l.over(ctx, heard)
		if news {
			l.logger().Warn("dislock: waiters poll, because the server can not tell them of their turn", "err", discreet(err, ""))
		}
		if over {
			return
		}
		if heard {
			pause = minRetry
			if time.Since(start) > minRetry {
				continue // at once: places are lost while nobody listens
			}
		}
		t := time.NewTimer(pause)
		select {
		case <-ctx.Done():
		case <-t.C:
		}
		t.Stop()
	}
}

// attend makes a connection and hears what comes until it fails, and reports
// whether it was good until then.
func (l *listener) attend(ctx context.Context) (heard bool, err error) {
	subscribe, cancel := context.WithTimeout(ctx, subscribeTimeout)
	defer cancel()
	name := channel(l.recipe.prefix) + l.id
	sub, err := l.subscribe(subscribe, name)
	if err != nil {
		return false, err
	}
	defer sub.Close()
	defer context.AfterFunc(ctx, sub.Cut)()

	// A word that comes back shows that it is the same server on both connections,
	// and that nothing between us and it drops what is published.
	greeting := "hello " + l.id
	if err := l.greet(subscribe, name, greeting); err != nil {
		return false, err
	}
	ping := time.AfterFunc(pingEvery, sub.Ping) // Receive notices if it fails
	defer ping.Stop()
	greetings, enough := context.WithCancel(ctx)
	var greeter sync.WaitGroup
	defer greeter.Wait()
	defer enough()
	for timeout := subscribeTimeout; ; {
		text, err := sub.Receive(timeout)
		switch m, ok := parseMessage(text); {
		case err != nil && !heard:
			return false, errors.Join(errAlone, err)
		case err != nil:
			return true, err
		case text == greeting && !heard:
			heard, timeout = true, 2*pingEvery
			l.begin()
		case text == "":
			if l.idleFor(linger) {
				return heard, errIdle
			}
			// The scripts may run elsewhere by now, as after a failover that left us
			// here. It is not for us to wait until their connection is free.
			greeter.Go(func() {
				if errors.Is(l.greet(greetings, name, greeting), errAlone) {
					sub.Cut()
				}
			})
			ping.Reset(pingEvery)
		case ok:
			l.hear(m)
		}
	}
}

// greet says greeting on channel by way of the scripts' connection, and fails if
// nobody hears it.
func (l *listener) greet(ctx context.Context, channel, greeting string) error {
	ctx, cancel := context.WithTimeout(ctx, subscribeTimeout)
	defer cancel()
	n, err := l.recipe.run(ctx, hello, "", []any{evalsha, hello.hash, 1, channel, greeting})
	if err == nil && n == int64(0) && l.recipe.driver.Counts() {
		err = errAlone
	}
	return err
}

// subscribe returns when ctx ends, also while the driver still dials. What it then
// brings is closed.
func (l *listener) subscribe(ctx context.Context, channel string) (Subscription, error) {
	var sub Subscription
	var err error
	came := make(chan struct{})
	go func() {
		defer close(came)
		sub, err = l.recipe.driver.Subscribe(ctx, channel)
	}()
	select {
	case <-came:
		return sub, err
	case <-ctx.Done():
		go func() {
			if <-came; err == nil {
				sub.Close()
			}
		}()
		return nil, ctx.Err()
	}
}

// begin notes that the server can tell us something, and has everybody who waits
// ask again: for a place in line, or for what they may have missed.
func (l *listener) begin() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.state = listening
	l.tellAll()
}

// idleFor reports whether nobody has waited for d.
func (l *listener) idleFor(d time.Duration) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.waiting == 0 && time.Since(l.idle) >= d
}

// over notes how an attempt to listen has ended, and reports whether it was the
// last one: nobody waits, or the backend is closed. It is news when waiters have to
// poll for the first time.
func (l *listener) over(ctx context.Context, heard bool) (over, news bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if heard {
		l.lost = time.Now()
	}
	if l.waiting == 0 || ctx.Err() != nil {
		l.state, l.ended = silent, nil
		l.stop()
		l.tellAll()
		return true, false
	}
	if heard {
		return false, false
	}
	if l.state == listening && time.Since(l.lost) < grace {
		return false, false
	}
	if l.state != deaf {
		l.state = deaf
		l.tellAll()
	}
	news, l.warned = !l.warned, true
	return false, news
}

// patience returns the longest pause before the next attempt to listen.
func (l *listener) patience() time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.lost.IsZero() && time.Since(l.lost) < outage {
		return backSoon
	}
	return maxRetry
}

func (l *listener) logger() *slog.Logger {
	if l.log != nil {
		return l.log
	}
	return slog.Default()
}
