package redigo_test

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gomodule/redigo/redis"

	"github.com/dislock/dislock/backend/redigo"
	"github.com/dislock/dislock/internal/redistest"
)

// TestNothingIsSentLate holds that a request is not sent when its caller has gone:
// it would take the lock, for a ttl, after the caller has made sure that it is free.
// It takes luck to hit the moment.
func TestNothingIsSentLate(t *testing.T) {
	server := redistest.Start(t)
	var late, cut, sent atomic.Int32
	var gone sync.Map                                                   // the tokens of calls that have returned
	pool := &redis.Pool{MaxIdle: 64, Dial: func() (redis.Conn, error) { // so that calls run in goroutines of their own
		return redis.Dial("tcp", server.Addr(), redis.DialNetDial(func(network, addr string) (net.Conn, error) {
			c, err := net.Dial(network, addr)
			return &watched{c, func(request []byte) {
				sent.Add(1)
				_, rest, _ := bytes.Cut(request, []byte("token "))
				token, _, _ := bytes.Cut(rest, []byte("\r"))
				if _, is := gone.Load(string(token)); is {
					late.Add(1)
				}
			}}, err
		}))
	}}
	t.Cleanup(func() { pool.Close() })
	var wg sync.WaitGroup
	end := time.Now().Add(2 * time.Second)
	for i := range 8 {
		wg.Go(func() {
			for n := 0; time.Now().Before(end); n++ {
				id := fmt.Sprintf("%d:%d", i, n)
				b := redigo.New(pool) // one that has yet to find out what its connections can do
				ctx, cancel := context.WithCancel(context.Background())
				stop := time.AfterFunc(rand.N(200*time.Microsecond), cancel)
				_, err := b.SetNX(ctx, id, "token "+id, time.Second)
				gone.Store(id, true)
				stop.Stop()
				cancel()
				if err != nil {
					cut.Add(1)
				}
			}
		})
	}
	wg.Wait()
	time.Sleep(10 * time.Millisecond)
	t.Logf("%d calls were cut short, %d requests were sent", cut.Load(), sent.Load())
	if late.Load() > 0 || cut.Load() < 100 {
		t.Errorf("of %d calls that were cut short %d sent their request after they had returned", cut.Load(), late.Load())
	}
}

// A watched connection shows what is written on it.
type watched struct {
	net.Conn
	see func(request []byte)
}

func (w *watched) Write(b []byte) (int, error) {
	w.see(b) // before it, or who is stopped in between would look late
	return w.Conn.Write(b)
}
