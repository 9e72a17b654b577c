package redistest

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestProxyPassesOn(t *testing.T) {
	t.Parallel()
	s := Start(t)
	p := NewProxy(t, s.Addr())
	c := dialRaw(t, p.Addr())
	c.send("HELLO 3")
	c.want("%7\r\n...")
	c.send("set k v", "GET k", "HSET h f 1", "HGETALL h", "SMEMBERS none", "GET none", "NOSUCH")
	c.want("+OK\r\n", "$1\r\nv\r\n", ":1\r\n", "%1\r\n$1\r\nf\r\n$1\r\n1\r\n", "~0\r\n", "_\r\n", "-ERR ...")
	log := []string{"HELLO", "SET", "GET", "HSET", "HGETALL", "SMEMBERS", "GET", "NOSUCH"}
	if got := p.Log(); !slices.Equal(got, log) || p.Requests() != len(log) {
		t.Errorf("log %v of %d requests, want %v", got, p.Requests(), log)
	}
	p.ResetLog()
	if p.Requests() != 0 {
		t.Errorf("%d requests after ResetLog", p.Requests())
	}
	s.Kill()
	c.wantClosed()
	dialRaw(t, p.Addr()).wantClosed()
}

// Pushes must neither use up the reply of a request nor its fault.
func TestProxyPassesPushes(t *testing.T) {
	t.Parallel()
	s := Start(t)
	for _, v := range []struct{ hello, greeting, mark string }{
		{"HELLO 2", "*14\r\n...", "*"},
		{"HELLO 3", "%7\r\n...", ">"},
	} {
		p := NewProxy(t, s.Addr())
		c := dialRaw(t, p.Addr())
		c.send(v.hello)
		c.want(v.greeting)
		p.LoseReply("PING", 1)
		// The request goes out before the pushes come: they must not be mistaken
		// for its reply.
		s.Pause()
		c.send("SUBSCRIBE a b", "PING")
		awaitRequests(t, p, 3)
		s.Resume()
		c.want(v.mark+"3\r\n$9\r\nsubscribe\r\n...", v.mark+"3\r\n$9\r\nsubscribe\r\n...")
		c.wantClosed()
		if p.Armed() != 0 {
			t.Errorf("%s: the fault did not happen", v.hello)
		}

		c = dialRaw(t, p.Addr())
		c.send(v.hello, "SUBSCRIBE a")
		c.want(v.greeting, v.mark+"3\r\n$9\r\nsubscribe\r\n...")
		p.LoseReply("PING", 1)
		s.Do(t, "PUBLISH", "a", "x")
		c.want(v.mark + "3\r\n$7\r\nmessage\r\n$1\r\na\r\n$1\r\nx\r\n")
		c.send("PING")
		c.wantClosed()
	}
}

func TestProxyBlackhole(t *testing.T) {
	t.Parallel()
	s := Start(t)
	p := NewProxy(t, s.Addr())
	const silence = 100 * time.Millisecond
	c, leaver := dialRaw(t, p.Addr()), dialRaw(t, p.Addr())
	for _, c := range []*rawClient{c, leaver} {
		c.send("PING")
		c.want("+PONG\r\n")
	}
	p.ResetLog()
	p.Blackhole()
	p.Blackhole()
	late := dialRaw(t, p.Addr())
	c.send("INCR a")
	late.send("INCR b")
	leaver.send("INCR c")
	_ = leaver.Close()
	c.wantSilence(silence)
	late.wantSilence(silence)
	if keys := s.Keys(t); len(keys) != 0 || p.Requests() != 0 {
		t.Errorf("the server has %v, %d requests were forwarded", keys, p.Requests())
	}
	p.Heal()
	p.Heal()
	c.want(":1\r\n")
	late.want(":1\r\n")
	// The withheld request of a client that is gone arrives all the same.
	if err := eventually(adminTimeout, func() error {
		if s.Do(t, "EXISTS", "c") != int64(1) {
			return errors.New("the request of the client that left is lost")
		}
		return nil
	}); err != nil {
		t.Error(err)
	}
}

// A reply that is on its way when the network goes dark does not arrive, nor
// does the end of the server; the cleanup has to cope with the rest.
func TestProxyBlackholeHidesReplyAndEnd(t *testing.T) {
	t.Parallel()
	s := Start(t)
	p := NewProxy(t, s.Addr())
	c, idle := dialRaw(t, p.Addr()), dialRaw(t, p.Addr())
	idle.send("PING")
	idle.want("+PONG\r\n")
	c.send("BLPOP list 0")
	if err := eventually(adminTimeout, func() error {
		if !strings.Contains(string(s.Do(t, "INFO", "clients").([]byte)), "blocked_clients:1") {
			return errors.New("the client does not wait")
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	p.Blackhole()
	s.Do(t, "RPUSH", "list", "x")
	s.Kill()
	late := dialRaw(t, p.Addr())
	for _, c := range []*rawClient{c, idle, late} {
		c.wantSilence(50 * time.Millisecond)
	}
	p.CutAll()
	c.wantClosed()
	idle.wantClosed()
}

func TestProxyCutAll(t *testing.T) {
	t.Parallel()
	s := Start(t)
	p := NewProxy(t, s.Addr())
	a, b := dialRaw(t, p.Addr()), dialRaw(t, p.Addr())
	for _, c := range []*rawClient{a, b} {
		c.send("PING")
		c.want("+PONG\r\n")
	}
	p.CutAll()
	a.wantClosed()
	b.wantClosed()
	c := dialRaw(t, p.Addr())
	c.send("PING")
	c.want("+PONG\r\n")
}
