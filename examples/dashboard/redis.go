package main

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"time"

	"github.com/dislock/dislock/internal/redistest"
	"github.com/gomodule/redigo/redis"
)

// openRedis returns the URL of a Redis that answers: the given one, or that of a
// server which it starts, and which close ends.
func openRedis(url string) (used string, close func(), err error) {
	if url != "" {
		return url, func() {}, ping(url)
	}
	server, err := redistest.StartProcess()
	if err != nil {
		return "", nil, fmt.Errorf("%w, or name a Redis with -redis", err)
	}
	return "redis://" + server.Addr(), server.Close, nil
}

func ping(url string) error {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	conn, err := dial(ctx, url)
	if err == nil {
		_, err = redis.DoContext(conn, ctx, "PING")
		_ = conn.Close()
	}
	if err != nil {
		return fmt.Errorf("can not use the Redis: %w", err)
	}
	return nil
}

// dial never shows the URL in an error: there may be a password in it.
func dial(ctx context.Context, rawURL string) (redis.Conn, error) {
	conn, err := redis.DialURLContext(ctx, rawURL,
		redis.DialConnectTimeout(2*time.Second),
		redis.DialReadTimeout(2*time.Second),
		redis.DialWriteTimeout(2*time.Second))
	var parse *url.Error
	if errors.As(err, &parse) {
		err = parse.Err
	}
	return conn, err
}
