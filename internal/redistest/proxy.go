package redistest

import (
	"net"
	"slices"
	"sync"
	"testing"
)

// Proxy is a TCP proxy on the loopback in front of one server. It passes on
// whole requests and whole replies, in order, and knows which reply belongs to
// which request; so a test can lose one of them, or hold it back.
//
// It speaks RESP2 and RESP3, pipelines and Pub/Sub. It does not support CLIENT
// REPLY, MONITOR and replication, where replies and requests do not match one to
// one, nor TLS. A node of a cluster tells clients its own address, so that they
// pass the proxy by unless the client is made to dial it.
type Proxy struct {
	upstream string
	listener net.Listener
	running  sync.WaitGroup // every goroutine of the proxy

	// gate is held for reading while bytes move, and for writing during a
	// blackout. A write to a peer that has stopped reading fills the buffers of
	// the kernel before it blocks; tests do not send that much.
	gate  sync.RWMutex
	dark  sync.Mutex
	black bool // gate is locked for writing; guarded by dark

	// mu is taken under gate, never the other way round.
	mu     sync.Mutex
	faults []*fault // in the order in which they were armed
	conns  map[*conn]struct{}
	log    []string
	closed bool // there are no new conns
}

// NewProxy starts a proxy in front of the server at upstream. It ends with the
// test.
func NewProxy(tb testing.TB, upstream string) *Proxy {
	tb.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		tb.Fatal(err)
	}
	p := &Proxy{upstream: upstream, listener: l, conns: make(map[*conn]struct{})}
	p.running.Go(p.accept)
	tb.Cleanup(p.close)
	return p
}

// Addr returns the address that clients dial.
func (p *Proxy) Addr() string { return p.listener.Addr().String() }

// Blackhole makes the network swallow everything: from when it returns, no byte
// moves in either direction, and no end of a connection becomes known. Old and
// new connections stay open and silent.
func (p *Proxy) Blackhole() {
	p.dark.Lock()
	defer p.dark.Unlock()
	if !p.black {
		p.gate.Lock()
		p.black = true
	}
}

// Heal ends [Proxy.Blackhole]. What was withheld flows on, as the retransmission
// of TCP would have it: a request that a client has given up long ago still
// reaches the server, and is applied.
func (p *Proxy) Heal() {
	p.dark.Lock()
	defer p.dark.Unlock()
	if p.black {
		p.gate.Unlock()
		p.black = false
	}
}

// CutAll closes every connection, also during a blackout. What was under way and
// not delivered yet is lost. New connections are welcome.
func (p *Proxy) CutAll() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for c := range p.conns {
		c.cut()
	}
}

// Requests returns how many requests went to the server since the start or
// [Proxy.ResetLog], those included with which client libraries greet a server.
func (p *Proxy) Requests() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.log)
}

// Log returns the names of these requests in capitals, those of one connection
// in the order in which they went to the server.
func (p *Proxy) Log() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.log)
}

// ResetLog forgets the requests until now.
func (p *Proxy) ResetLog() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.log = nil
}

func (p *Proxy) accept() {
	for {
		client, err := p.listener.Accept()
		if err != nil {
			return // closed
		}
		p.running.Go(func() { p.serve(client) })
	}
}

func (p *Proxy) close() {
	_ = p.listener.Close()
	p.mu.Lock()
	p.closed = true
	p.mu.Unlock()
	// In this order: what a blackout withheld must not reach the server now.
	p.CutAll()
	p.Heal()
	p.running.Wait()
}
