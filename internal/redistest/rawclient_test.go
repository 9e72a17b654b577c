package redistest

import (
	"bufio"
	"errors"
	"fmt"
	"net"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"
)

// rawClient speaks RESP without a client library, so that a test decides what
// goes into one write and sees every byte that comes back.
type rawClient struct {
	net.Conn
	tb testing.TB
	r  *bufio.Reader
}

func dialRaw(tb testing.TB, addr string) *rawClient {
	tb.Helper()
	c, err := net.Dial("tcp", addr)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = c.Close() })
	return &rawClient{Conn: c, tb: tb, r: bufio.NewReader(c)}
}

// send writes requests, given as words separated by spaces, in one write.
func (c *rawClient) send(requests ...string) {
	c.tb.Helper()
	var b strings.Builder
	for _, request := range requests {
		words := strings.Fields(request)
		b.WriteString("*" + strconv.Itoa(len(words)) + "\r\n")
		for _, w := range words {
			b.WriteString("$" + strconv.Itoa(len(w)) + "\r\n" + w + "\r\n")
		}
	}
	if _, err := c.Write([]byte(b.String())); err != nil {
		c.tb.Fatal(err)
	}
}

func (c *rawClient) receive() (string, error) {
	_ = c.SetReadDeadline(time.Now().Add(adminTimeout))
	frame, err := appendFrame(nil, c.r)
	return string(frame), err
}

// want receives the given replies. One that ends in an ellipsis may go on.
func (c *rawClient) want(replies ...string) {
	c.tb.Helper()
	for _, want := range replies {
		got, err := c.receive()
		prefix, open := strings.CutSuffix(want, "...")
		if err != nil || got != want && !(open && strings.HasPrefix(got, prefix)) {
			c.tb.Fatalf("received %q, %v; want %q", got, err, want)
		}
	}
}

func (c *rawClient) wantClosed() {
	c.tb.Helper()
	if got, err := c.receive(); err == nil || errors.Is(err, os.ErrDeadlineExceeded) {
		c.tb.Fatalf("received %q, %v; want a closed connection", got, err)
	}
}

func (c *rawClient) wantSilence(d time.Duration) {
	c.tb.Helper()
	_ = c.SetReadDeadline(time.Now().Add(d))
	if b, err := c.r.Peek(1); !errors.Is(err, os.ErrDeadlineExceeded) {
		c.tb.Fatalf("received %q, %v; want silence", b, err)
	}
}

func awaitRequests(tb testing.TB, p *Proxy, n int) {
	tb.Helper()
	if err := eventually(adminTimeout, func() error {
		if p.Requests() < n {
			return fmt.Errorf("forwarded %v, want %d requests", p.Log(), n)
		}
		return nil
	}); err != nil {
		tb.Fatal(err)
	}
}
