package redistest

import (
	"bufio"
	"net"
	"sync"
	"time"
)

// conn is one client's connection through the proxy. One goroutine moves the
// requests and one the replies; whichever ends first ends both.
type conn struct {
	p                *Proxy
	client, upstream net.Conn
	done             chan struct{} // closed by cut
	once             sync.Once

	mu         sync.Mutex
	pending    []action // of the requests without a reply yet, in order
	subscribed bool     // the client has sent a command of Pub/Sub
}

// serve runs a connection from accept to its end.
func (p *Proxy) serve(client net.Conn) {
	upstream, err := net.DialTimeout("tcp", p.upstream, adminTimeout)
	if err != nil {
		// That there is nobody is news as well, which a blackout swallows.
		p.gate.RLock()
		defer p.gate.RUnlock()
		_ = client.Close()
		return
	}
	c := &conn{p: p, client: client, upstream: upstream, done: make(chan struct{})}
	p.mu.Lock()
	p.conns[c] = struct{}{}
	closed := p.closed
	p.mu.Unlock()
	if closed {
		c.cut()
	}
	var replies sync.WaitGroup
	replies.Go(func() {
		c.moveReplies()
		c.end()
	})
	if c.moveRequests() {
		c.end()
	}
	replies.Wait()
	p.mu.Lock()
	delete(p.conns, c)
	p.mu.Unlock()
}

// cut closes both sides at once.
func (c *conn) cut() {
	c.once.Do(func() {
		close(c.done)
		_ = c.client.Close()
		_ = c.upstream.Close()
	})
}

// end cuts the connection when the network lets the news through.
func (c *conn) end() {
	c.p.gate.RLock()
	defer c.p.gate.RUnlock()
	c.cut()
}

// moveRequests passes requests on until one side is gone, and reports whether
// the connection is over; it is not while a reply is still to be lost.
func (c *conn) moveRequests() (over bool) {
	r := bufio.NewReader(c.client)
	for {
		request, err := appendFrame(nil, r)
		if err != nil {
			return true
		}
		do, err := c.forward(request)
		if err != nil || do.loseRequest {
			return true
		}
		if do.loseReply {
			// If the next request of a pipeline went out as well, chance would
			// decide whether it is applied before the reply is lost.
			return false
		}
	}
}

func (c *conn) forward(request []byte) (action, error) {
	c.p.gate.RLock()
	defer c.p.gate.RUnlock()
	select {
	case <-c.done: // cut during a blackout: not even the log may know
		return action{}, net.ErrClosed
	default:
	}
	do := c.p.strike(request)
	if do.loseRequest {
		return do, nil
	}
	c.expect(request, do)
	_, err := c.upstream.Write(request)
	return do, err
}

// moveReplies passes replies on, and does to each what its request has coming.
func (c *conn) moveReplies() {
	r := bufio.NewReader(c.upstream)
	for {
		reply, err := appendFrame(nil, r)
		if err != nil {
			return
		}
		do := c.next(reply)
		if do.loseReply {
			return
		}
		if do.delay > 0 && !c.hold(do.delay) {
			return
		}
		if c.deliver(reply) != nil {
			return
		}
	}
}

func (c *conn) deliver(reply []byte) error {
	c.p.gate.RLock()
	defer c.p.gate.RUnlock()
	_, err := c.client.Write(reply)
	return err
}

// hold waits for d, and reports false if the connection ends before.
func (c *conn) hold(d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-c.done:
		return false
	}
}

// expect notes that a request is about to get a reply. A command that subscribes
// is answered by pushes, any number of them, and expects none.
func (c *conn) expect(request []byte, do action) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if isSubscribe(request) {
		c.subscribed = true
		return
	}
	c.pending = append(c.pending, do)
}

// next returns what to do with a reply. A push, which answers no request, passes.
func (c *conn) next(reply []byte) action {
	c.mu.Lock()
	defer c.mu.Unlock()
	if reply[0] == '>' || c.subscribed && isPush(reply) || len(c.pending) == 0 {
		return action{}
	}
	do := c.pending[0]
	c.pending = c.pending[1:]
	return do
}
