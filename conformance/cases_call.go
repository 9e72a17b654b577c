package conformance

import (
	"context"
	"errors"
	"io"
	"net"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/dislock/dislock/backend"
)

// What a call may do, and for how long.
var callCases = []kase{
	{
		name: "B10 a done ctx touches nothing",
		rule: "B10: a ctx that is already done touches nothing.",
		run: func(c *C) {
			a, b := c.connect(), c.connect()
			done, cancel := context.WithCancel(context.Background())
			cancel()

			_, err := a.SetNX(done, c.key, backend.NewToken("a"), long)
			c.isCanceled("SetNX", err)
			time.Sleep(10 * time.Millisecond) // for who goes on in the background
			token := backend.NewToken("b")
			c.take(b, c.key, token, long)

			c.isCanceled("ExpireIfOwner", a.ExpireIfOwner(done, c.key, token, time.Millisecond))
			c.isCanceled("DeleteIfOwner", a.DeleteIfOwner(done, c.key, token))
			time.Sleep(10 * time.Millisecond)
			c.owns(b, c.key, token, long)
		},
	},
	{
		name:  "B10 a call returns when its ctx ends though the server is silent",
		rule:  "B10: a ctx that ends during a call makes it return promptly, even if the server has stopped answering.",
		needs: func(h Harness) bool { return h.Dial != nil },
		run: func(c *C) {
			addr, heard := c.silentServer()
			b := c.harness.Dial(c.TB, addr)
			calls := map[string]func(context.Context) error{
				"SetNX": func(ctx context.Context) error {
					_, err := b.SetNX(ctx, c.key, "token", long)
					return err
				},
				"ExpireIfOwner": func(ctx context.Context) error { return b.ExpireIfOwner(ctx, c.key, "token", long) },
				"DeleteIfOwner": func(ctx context.Context) error { return b.DeleteIfOwner(ctx, c.key, "token") },
			}
			if line := backend.LineOf(b); line != nil {
				calls["Join"] = func(ctx context.Context) error {
					_, err := line.Join(ctx, c.key, "token", long, long, make(chan backend.Grant, 1))
					return err
				}
			}
			for name, call := range calls {
				ctx, cancel := context.WithTimeout(context.Background(), generous)
				cut := time.AfterFunc(short, cancel)
				c.promptly(name+" with a ctx that is cancelled", ctx, call)
				cut.Stop()
				cancel()

				ctx, cancel = context.WithTimeout(context.Background(), short)
				c.promptly(name+" with a ctx whose deadline passes", ctx, call)
				cancel()

				ctx, cancel = backend.Bounded(context.Background(), short)
				c.promptly(name+" with a ctx that can end only at its deadline", ctx, call)
				cancel()
			}
			if heard() == 0 {
				c.Errorf("the server was not spoken to, so its silence proves nothing")
			}
		},
	},
	{
		name: "B11 a held key is answered at once",
		rule: "B11: no retries and no sleeps inside: waiting is the mutex's business.",
		run: func(c *C) {
			a, b := c.connect(), c.connect()
			c.take(a, c.key, backend.NewToken("a"), long)
			start := time.Now()
			c.refused(b, c.key)
			if took := time.Since(start); took > 2*time.Second {
				c.Errorf("SetNX of a held key took %v to say no", took)
			}
		},
	},
	{
		name: "B11 one client serves many goroutines",
		rule: "B11: safe for concurrent use.",
		run: func(c *C) {
			b := c.connect()
			var all sync.WaitGroup
			for range 8 {
				all.Go(func() {
					for range 10 {
						key, token := c.newKey(), backend.NewToken("one of many")
						if _, err := b.SetNX(c.ctx(), key, token, long); err != nil {
							c.Errorf("SetNX of a free key: %v, want nil", err)
						}
						if err := b.ExpireIfOwner(c.ctx(), key, token, long); err != nil {
							c.Errorf("ExpireIfOwner by the owner: %v, want nil", err)
						}
						if err := b.DeleteIfOwner(c.ctx(), key, token); err != nil {
							c.Errorf("DeleteIfOwner by the owner: %v, want nil", err)
						}
					}
				})
			}
			all.Wait()
		},
	},
	{
		name:  "B11 calls leave no goroutine behind",
		rule:  "B11: no lasting goroutines inside.",
		alone: true,
		run: func(c *C) {
			b := c.connect()
			calls := func(n int) {
				for range n {
					token := backend.NewToken("a")
					c.take(b, c.key, token, long)
					c.refused(b, c.key)
					c.owns(b, c.key, token, long)
					c.release(b, c.key, token)
				}
			}
			calls(10) // the client may start what it needs for itself
			const n = 40
			before := runtime.NumGoroutine()
			calls(n)
			// Well below one for each call, and well above what comes and goes.
			c.eventually("the goroutines of the calls have ended", func() bool {
				return runtime.NumGoroutine() < before+n/4
			})
		},
	},
}

func (c *C) isCanceled(method string, err error) {
	c.Helper()
	if !errors.Is(err, context.Canceled) {
		c.Fatalf("%s with a cancelled ctx: %v, want context.Canceled", method, err)
	}
}

// promptly checks that call returns soon after ctx has ended, with an error that
// admits that nobody knows.
func (c *C) promptly(what string, ctx context.Context, call func(context.Context) error) {
	c.Helper()
	const bound = short + 2*time.Second
	start := time.Now()
	answer := make(chan error, 1)
	go func() { answer <- call(ctx) }()
	var err error
	select {
	case err = <-answer:
	case <-time.After(bound):
		c.Fatalf("%s has not returned after %v", what, bound)
	}
	if took := time.Since(start); took < short/2 {
		c.Errorf("%s returned after %v, long before its ctx ended: %v", what, took, err)
	}
	if err == nil || errors.Is(err, backend.ErrHeld) || errors.Is(err, backend.ErrNotOwner) {
		c.Errorf("%s: %v, want an error that says that the outcome is unknown", what, err)
	}
}

// silentServer returns the address of a server that takes connections and
// requests and never says a word, and how many bytes it has heard.
func (c *C) silentServer() (addr string, heard func() int64) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		c.Fatal(err)
	}
	var serving sync.WaitGroup
	var mu sync.Mutex
	var conns []net.Conn
	var bytes countingWriter
	serving.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			mu.Lock()
			conns = append(conns, conn)
			mu.Unlock()
			serving.Go(func() { _, _ = io.Copy(&bytes, conn) })
		}
	})
	c.Cleanup(func() {
		l.Close()
		mu.Lock()
		for _, conn := range conns {
			conn.Close()
		}
		mu.Unlock()
		serving.Wait()
	})
	return l.Addr().String(), bytes.Load
}

type countingWriter struct{ atomic.Int64 }

func (w *countingWriter) Write(p []byte) (int, error) {
	w.Add(int64(len(p)))
	return len(p), nil
}
