package redigo

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/gomodule/redigo/redis"

	"github.com/dislock/dislock/internal/recipe"
)

// Publishes: a pool has one server, and so one place to listen. But a pool of one
// connection has none to spare for that.
func (d *driver) Publishes() bool {
	p, ok := d.pool.(*redis.Pool)
	return !ok || p.MaxActive != 1
}

// Counts: all who listen are on that server.
func (d *driver) Counts() bool { return true }

func (d *driver) Subscribe(ctx context.Context, channel string) (recipe.Subscription, error) {
	conn, err := d.pool.GetContext(ctx)
	if err != nil {
		return nil, err
	}
	s := &subscription{conn: conn}
	// With nothing to send, this asks only whether conn can be cut.
	if _, err := redis.DoContext(conn, ctx, ""); err != nil {
		s.Close()
		return nil, err
	}
	stop := context.AfterFunc(ctx, s.Cut)
	defer stop()
	pubsub := redis.PubSubConn{Conn: conn}
	if err := pubsub.Subscribe(channel); err != nil {
		s.Close()
		return nil, err
	}
	var timeout time.Duration
	if at, ok := ctx.Deadline(); ok {
		timeout = max(time.Until(at), time.Millisecond)
	}
	switch reply := pubsub.ReceiveWithTimeout(timeout).(type) {
	case redis.Subscription:
		return s, nil
	case error:
		err = reply
	default:
		err = errors.New("redis: subscribe: unexpected reply")
	}
	s.Close()
	return nil, err
}

// subscription is a [recipe.Subscription] on a connection of the pool. The connection
// does not go back to be used by others: it is cut before it is closed, because
// to unsubscribe in good order may take for ever.
type subscription struct {
	conn redis.Conn

	mu     sync.Mutex // of all but Receive: a connection can not be closed beside anything else
	closed bool
}

// Receive reads the reply itself: what a redis.PubSubConn makes of it goes by way of
// reflection, and somebody is waiting.
func (s *subscription) Receive(timeout time.Duration) (string, error) {
	reply, err := redis.Values(redis.ReceiveWithTimeout(s.conn, timeout))
	if err != nil {
		return "", err
	}
	if len(reply) == 3 { // "message", the channel, the message; a pong has two parts
		message, _ := reply[2].([]byte)
		return string(message), nil
	}
	return "", nil
}

func (s *subscription) Ping() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.closed {
		_ = redis.PubSubConn{Conn: s.conn}.Ping("")
	}
}

func (s *subscription) Cut() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.closed {
		cut(s.conn)
	}
}

func (s *subscription) Close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.closed {
		s.closed = true
		cut(s.conn)
		_ = s.conn.Close()
	}
}
