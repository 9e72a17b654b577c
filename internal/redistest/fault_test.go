package redistest

import (
	"slices"
	"strconv"
	"testing"
	"time"
)

func TestProxyLosesReply(t *testing.T) {
	t.Parallel()
	s := Start(t)
	p := NewProxy(t, s.Addr())
	p.LoseReply("ToKeN", 2)
	for i := range 2 {
		c := dialRaw(t, p.Addr())
		c.send("PING", "HSET h token-"+strconv.Itoa(i)+" 1", "SET behind 1")
		c.want("+PONG\r\n")
		c.wantClosed()
	}
	if n := s.Do(t, "HLEN", "h"); n != int64(2) {
		t.Errorf("%v requests were applied, want 2", n)
	}
	if p.Armed() != 0 || p.Requests() != 4 {
		t.Errorf("%d faults left, %d requests forwarded; want 0 and 4: %v", p.Armed(), p.Requests(), p.Log())
	}
	c := dialRaw(t, p.Addr())
	c.send("HSET h token-2 1", "EXISTS behind")
	c.want(":1\r\n", ":0\r\n")
}

func TestProxyLosesRequest(t *testing.T) {
	t.Parallel()
	s := Start(t)
	p := NewProxy(t, s.Addr())
	p.LoseRequest("incr", 1)
	c := dialRaw(t, p.Addr())
	c.send("PING", "INCR n", "INCR n")
	// Not want: the close may overtake the reply in front.
	for _, err := c.receive(); err == nil; _, err = c.receive() {
	}
	if got := s.Do(t, "GET", "n"); got != nil {
		t.Errorf("the server saw the lost request, or one behind it: n = %q", got)
	}
	if p.Armed() != 0 || !slices.Equal(p.Log(), []string{"PING"}) {
		t.Errorf("%d faults left, log %v", p.Armed(), p.Log())
	}
	p.LoseRequest("incr", 5)
	p.Disarm()
	c = dialRaw(t, p.Addr())
	c.send("INCR n")
	c.want(":1\r\n")
}

func TestProxyDelays(t *testing.T) {
	t.Parallel()
	s := Start(t)
	p := NewProxy(t, s.Addr())
	const d = 150 * time.Millisecond
	p.Delay("incr", d, 1)
	c, other := dialRaw(t, p.Addr()), dialRaw(t, p.Addr())
	start := time.Now()
	c.send("INCR n", "INCR n")
	awaitRequests(t, p, 2)
	// Only the reply is late: others get on, and see what happened.
	other.send("PING")
	other.want("+PONG\r\n")
	c.want(":1\r\n", ":2\r\n")
	if took := time.Since(start); took < d {
		t.Errorf("the reply took %v, want at least %v", took, d)
	}
}
