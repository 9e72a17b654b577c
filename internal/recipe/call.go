package recipe

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"
)

// farewell is for how long a caller whose ctx has ended waits for the driver to
// notice, too. Who is gone while the driver is still about to send asks for
// trouble: the mutex takes back what it may have got, and the request arrives
// after that.
const farewell = 20 * time.Millisecond

// run has the server run a script and returns its reply; args are those of
// EVALSHA. It returns soon after ctx ends, also while the driver still waits for
// a server that has stopped answering; then the outcome is unknown.
func (r *Recipe) run(ctx context.Context, s *script, token string, args []any) (any, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	c := &call{ctx: ctx, driver: r.driver, replicas: r.awaitedFor(s), script: s, args: args, err: errAborted}
	if r.driver.Prompt(ctx) {
		c.do()
	} else {
		c.done = make(chan struct{})
		go c.start()
		select {
		case <-c.done:
		case <-ctx.Done():
			t := time.NewTimer(farewell)
			defer t.Stop()
			select {
			case <-c.done: // an answer is worth more than none
			case <-t.C:
				return nil, fmt.Errorf("redis: %s: no answer yet: %w", s.name, ctx.Err())
			}
		}
	}
	if c.err != nil {
		return nil, explain(ctx, s, token, c.err)
	}
	return c.reply, nil
}

// call is one request under way. Its goroutine lasts as long as the driver's own
// call and no longer; whoever started it may have stopped waiting for it by then.
type call struct {
	ctx      context.Context
	driver   Driver
	replicas *replicas // nil if it waits for none
	script   *script
	args     []any

	done  chan struct{}
	reply any   // from here on: the goroutine's until done is closed
	err   error // errAborted until the driver has returned
}

// errAborted is what is left to say if the driver ends its goroutine.
var errAborted = errors.New("the client library did not return")

func (c *call) start() {
	defer close(c.done)
	c.do()
}

func (c *call) do() {
	reply, err := c.send(c.args)
	if err != nil && c.driver.NoScript(err) {
		// NOSCRIPT is a definite answer, so this is the first try and not a repeat.
		if err = c.ctx.Err(); err == nil {
			args := append([]any{eval, c.script.src}, c.args[2:]...)
			reply, err = c.send(args)
		}
	}
	c.reply, c.err = reply, err
}

func (c *call) send(args []any) (any, error) {
	if c.replicas != nil {
		return c.replicas.do(c.ctx, args)
	}
	return c.driver.Do(c.ctx, args)
}

// explain adds to a driver's error what it was about, and that ctx ended if the
// driver noticed only that a socket's deadline passed. It shows no token.
func explain(ctx context.Context, s *script, token string, err error) error {
	err = discreet(err, token[strings.LastIndexByte(token, ':')+1:])
	ended := ctx.Err()
	if at, ok := ctx.Deadline(); ok && ended == nil && !time.Now().Before(at) {
		ended = context.DeadlineExceeded // the socket's timer was the faster one
	}
	if ended != nil && !errors.Is(err, ended) {
		return fmt.Errorf("redis: %s: %w: %w", s.name, ended, err)
	}
	return fmt.Errorf("redis: %s: %w", s.name, err)
}

// quotations are what errors say before they quote what may be a token, perhaps cut
// short, and perhaps another's: the server, of a command that it does not know, and
// go-redis, of an answer that it can not read. And what is left of that.
var quotations = map[string]string{
	", with args beginning with": "",
	"can't parse ":               "can't parse the answer",
}

// discreet returns err, or if that quotes anything or shows secret, what remains of its
// text without it. Such an error is not even wrapped.
func discreet(err error, secret string) error {
	text := err.Error()
	for q, rest := range quotations {
		if before, _, quoted := strings.Cut(text, q); quoted {
			text = before + rest
		}
	}
	// Whoever quotes a token may escape the label in it, so the secret is looked for.
	if text = hide(text, secret); text == err.Error() {
		return err
	}
	return errors.New(text)
}

// hide puts something else for secret in text, also where that is cut short: a
// client library shows the first hundred bytes of an answer that it can not read.
func hide(text, secret string) string {
	for n := len(secret); n > 0 && n >= min(len(secret), 8); n-- {
		text = strings.ReplaceAll(text, secret[:n], "(secret)")
	}
	return text
}
