package redistest

import (
	"bytes"
	"slices"
	"time"
)

// fault is what happens to the next requests that match.
type fault struct {
	match []byte // in small letters
	left  int    // how many requests it still hits, at least 1
	do    action
}

// action is what happens to one request. The zero action is to pass it on.
type action struct {
	loseRequest bool
	loseReply   bool
	delay       time.Duration
}

// LoseReply makes the server apply each of the next n requests that match, and
// the client never learn: the whole reply is read and thrown away, and the
// connection closed. Requests behind it in a pipeline are lost.
//
// A request matches if it contains match anywhere, in capitals or not: the name
// of a command, a key, a token. A request is hit by one fault at most, the one
// that was armed first. Commands that subscribe are answered by pushes, so of
// the faults only LoseRequest hits them.
func (p *Proxy) LoseReply(match string, n int) { p.arm(match, n, action{loseReply: true}) }

// LoseRequest closes the connection of each of the next n requests that match,
// as in [Proxy.LoseReply]. The server does not see the request, nor those behind
// it in a pipeline.
func (p *Proxy) LoseRequest(match string, n int) { p.arm(match, n, action{loseRequest: true}) }

// Delay passes on the next n requests that match, as in [Proxy.LoseReply], and
// holds back each reply for d after the server has sent it.
func (p *Proxy) Delay(match string, d time.Duration, n int) { p.arm(match, n, action{delay: d}) }

// Armed returns how many requests the faults would still hit. It is 0 when every
// fault that a test planned has happened.
func (p *Proxy) Armed() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	sum := 0
	for _, f := range p.faults {
		sum += f.left
	}
	return sum
}

// Disarm forgets the faults that have not happened.
func (p *Proxy) Disarm() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.faults = nil
}

func (p *Proxy) arm(match string, n int, do action) {
	if n <= 0 {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.faults = append(p.faults, &fault{match: bytes.ToLower([]byte(match)), left: n, do: do})
}

// strike decides what happens to a request, and writes it in the log if the
// server is going to see it.
func (p *Proxy) strike(request []byte) action {
	p.mu.Lock()
	defer p.mu.Unlock()
	var do action
	lower := bytes.ToLower(request)
	for i, f := range p.faults {
		if bytes.Contains(lower, f.match) && (f.do.loseRequest || !isSubscribe(request)) {
			do = f.do
			if f.left--; f.left == 0 {
				p.faults = slices.Delete(p.faults, i, i+1)
			}
			break
		}
	}
	if !do.loseRequest {
		p.log = append(p.log, string(bytes.ToUpper([]byte(word(request)))))
	}
	return do
}
