package main

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	redigo "github.com/gomodule/redigo/redis"
	goredis "github.com/redis/go-redis/v9"

	"github.com/dislock/dislock/backend"
	goredisbackend "github.com/dislock/dislock/backend/goredis"
	redigobackend "github.com/dislock/dislock/backend/redigo"
)

// expiry is how long the number stays behind at most when this program is killed.
const expiry = time.Hour

// A server is one client of Redis, made with either library.
type server struct {
	store backend.Backend // for the lock
	do    func(ctx context.Context, args ...any) (any, error)
	close func() error
}

func openServer(url, driver string) (*server, error) {
	opts, err := parseURL(url)
	if err != nil {
		return nil, err
	}
	if driver == "redigo" {
		return openRedigo(opts), nil
	}
	return openGoredis(opts), nil
}

func openGoredis(opts *goredis.Options) *server {
	opts.ContextTimeoutEnabled = true
	client := goredis.NewClient(opts)
	store := goredisbackend.New(client, goredisbackend.WithLogger(quiet))
	return &server{
		store: store,
		do: func(ctx context.Context, args ...any) (any, error) {
			return client.Do(ctx, args...).Result()
		},
		close: func() error { return errors.Join(store.Close(), client.Close()) },
	}
}

func openRedigo(opts *goredis.Options) *server {
	pool := &redigo.Pool{
		MaxIdle: 2,
		DialContext: func(ctx context.Context) (redigo.Conn, error) {
			return redigo.DialContext(ctx, opts.Network, opts.Addr,
				redigo.DialUsername(opts.Username),
				redigo.DialPassword(opts.Password),
				redigo.DialDatabase(opts.DB),
				redigo.DialUseTLS(opts.TLSConfig != nil),
				redigo.DialTLSConfig(opts.TLSConfig))
		},
	}
	store := redigobackend.New(pool, redigobackend.WithLogger(quiet))
	return &server{
		store: store,
		do: func(ctx context.Context, args ...any) (any, error) {
			conn, err := pool.GetContext(ctx)
			if err != nil {
				return nil, err
			}
			defer conn.Close()
			return redigo.DoContext(conn, ctx, args[0].(string), args[1:]...)
		},
		close: func() error { return errors.Join(store.Close(), pool.Close()) },
	}
}

var errGone = errors.New("the number is gone: somebody deleted its key")

// redisNumber is a number in a hash of Redis, with the tally of worker 3 in its
// field "3". One command writes both.
type redisNumber struct {
	*server
	key     string
	workers int
}

func (r *redisNumber) read(ctx context.Context) (int, error) {
	reply, err := r.do(ctx, "HGET", r.key, "number")
	if err == nil && reply == nil || errors.Is(err, goredis.Nil) {
		return 0, errGone
	}
	if err != nil {
		return 0, err
	}
	return toInt(reply)
}

func (r *redisNumber) write(ctx context.Context, n, worker, tally int) error {
	_, err := r.do(ctx, "HSET", r.key, "number", n, strconv.Itoa(worker), tally)
	return err
}

func (r *redisNumber) reset(ctx context.Context) error {
	fields := []any{"HSET", r.key, "number", 0}
	for worker := range r.workers + 1 {
		fields = append(fields, strconv.Itoa(worker), 0)
	}
	if _, err := r.do(ctx, fields...); err != nil {
		return err
	}
	_, err := r.do(ctx, "PEXPIRE", r.key, expiry.Milliseconds())
	return err
}

func (r *redisNumber) state(ctx context.Context) (state, error) {
	fields := []any{"HMGET", r.key, "number"}
	for worker := range r.workers + 1 {
		fields = append(fields, strconv.Itoa(worker))
	}
	reply, err := r.do(ctx, fields...)
	if err != nil {
		return state{}, err
	}
	values, ok := reply.([]any)
	if !ok || len(values) != len(fields)-2 {
		return state{}, fmt.Errorf("unexpected reply of type %T", reply)
	}
	ints := make([]int, len(values))
	for i, v := range values {
		if v == nil {
			return state{}, errGone
		}
		if ints[i], err = toInt(v); err != nil {
			return state{}, err
		}
	}
	return state{number: ints[0], tallies: ints[1:]}, nil
}

// remove leaves nothing of this run on the server, once all workers have ended.
// The lock of one that was killed, or interrupted while it asked for it, would
// stay for its ttl, and the counter of the fences for a day, so that fences grow
// from one holder to the next. But this run's key is unique: nobody will ever
// lock it again. Locks that are in use are never deleted like this.
func (r *redisNumber) remove(ctx context.Context) error {
	lock := "dislock:{" + r.key + "}"
	_, err := r.do(ctx, "DEL", r.key, lock, lock+":fence")
	return err
}

// toInt reads what one library returns as a string and the other as bytes.
func toInt(reply any) (int, error) {
	return strconv.Atoi(fmt.Sprintf("%s", reply))
}
