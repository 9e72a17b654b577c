package crossing

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gomodule/redigo/redis"
	goredisclient "github.com/redis/go-redis/v9"

	"github.com/dislock/dislock/backend"
	"github.com/dislock/dislock/backend/goredis"
	"github.com/dislock/dislock/backend/redigo"
)

// A network is what a client dials through, and does things to those connections
// alone on which it subscribes. It knows them when it sees the command.
type network struct {
	user, password string
	log            counted

	mu     sync.Mutex
	addr   string        // of the server
	divert string        // of another one, to which a subscription goes; "" for none
	heal   chan struct{} // closed when what was withheld flows on; nil if nothing is
	wires  map[*wire]struct{}
}

func newNetwork(addr string) *network {
	return &network{addr: addr, log: newCounted(), wires: make(map[*wire]struct{})}
}

// A line is either adapter.
type line interface {
	backend.Line
	io.Closer
}

// openers are the two adapters, each on a client that dials through a network.
var openers = map[string]func(tb testing.TB, n *network) line{
	"redigo": func(tb testing.TB, n *network) line {
		pool := &redis.Pool{MaxIdle: 8, DialContext: func(ctx context.Context) (redis.Conn, error) {
			return redis.DialContext(ctx, "tcp", "", redis.DialContextFunc(n.dial),
				redis.DialUsername(n.user), redis.DialPassword(n.password))
		}}
		b := redigo.New(pool, redigo.WithLogger(n.logger()))
		tb.Cleanup(func() { b.Close(); pool.Close() })
		return b
	},
	"goredis": func(tb testing.TB, n *network) line {
		client := goredisclient.NewClient(&goredisclient.Options{
			Addr: n.addr, Dialer: n.dial, Username: n.user, Password: n.password,
			Protocol: 2, // for a connection that is diverted when it has been greeted
		})
		b := goredis.New(client, goredis.WithLogger(n.logger()))
		tb.Cleanup(func() { b.Close(); client.Close() })
		return b
	},
}

func (n *network) logger() *slog.Logger { return slog.New(n.log) }

func (n *network) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	n.mu.Lock()
	addr := n.addr
	n.mu.Unlock()
	c, err := new(net.Dialer).DialContext(ctx, "tcp", addr)
	if err != nil {
		return nil, err
	}
	w := &wire{Conn: c, network: n, closed: make(chan struct{})}
	n.mu.Lock()
	defer n.mu.Unlock()
	n.wires[w] = struct{}{}
	return w, nil
}

// hush withholds what subscriptions hear, until the function is called that it returns.
func (n *network) hush() (heal func()) {
	n.mu.Lock()
	defer n.mu.Unlock()
	silence := make(chan struct{})
	n.heal = silence
	return sync.OnceFunc(func() { close(silence) })
}

// move has new connections go to the server at addr, and cuts the others but for
// subscriptions.
func (n *network) move(addr string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.addr = addr
	for w := range n.wires {
		if !w.subscribes {
			_ = w.Conn.Close()
		}
	}
}

// A wire is a connection. A client does not read while it writes on it, but for
// the pings of a subscription.
type wire struct {
	net.Conn
	network    *network
	subscribes bool // guarded by the network's mu
	closed     chan struct{}
	once       sync.Once
}

func (w *wire) Write(b []byte) (int, error) {
	if bytes.Contains(bytes.ToLower(b), []byte("subscribe")) {
		w.network.mu.Lock()
		w.subscribes = true
		divert := w.network.divert
		w.network.mu.Unlock()
		if divert != "" {
			c, err := net.DialTimeout("tcp", divert, 5*time.Second)
			if err != nil {
				return 0, err
			}
			if err := w.become(c); err != nil {
				return 0, err
			}
		}
	}
	return w.Conn.Write(b)
}

// become replaces the connection, unless it has been closed meanwhile.
func (w *wire) become(c net.Conn) error {
	w.network.mu.Lock()
	defer w.network.mu.Unlock()
	select {
	case <-w.closed:
		_ = c.Close()
		return net.ErrClosed
	default:
	}
	_ = w.Conn.Close()
	w.Conn = c
	return nil
}

func (w *wire) Read(b []byte) (int, error) {
	n, err := w.Conn.Read(b)
	w.network.mu.Lock()
	heal := w.network.heal
	subscribes := w.subscribes
	w.network.mu.Unlock()
	if subscribes && heal != nil && n > 0 {
		select {
		case <-heal:
		case <-w.closed:
			return 0, net.ErrClosed
		}
	}
	return n, err
}

func (w *wire) Close() error {
	w.once.Do(func() {
		w.network.mu.Lock()
		defer w.network.mu.Unlock()
		close(w.closed)
		delete(w.network.wires, w)
	})
	w.network.mu.Lock()
	defer w.network.mu.Unlock()
	return w.Conn.Close()
}

// counted is a slog.Handler that keeps what is said of waiters that poll.
type counted struct {
	slog.Handler
	text *syncBuffer
}

func newCounted() counted {
	b := new(syncBuffer)
	return counted{slog.NewTextHandler(b, nil), b}
}

func (c counted) polling() int { return strings.Count(c.text.String(), "waiters poll") }
