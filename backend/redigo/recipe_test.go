package redigo_test

import (
	"context"
	"testing"

	"github.com/gomodule/redigo/redis"

	"github.com/dislock/dislock/backend"
	"github.com/dislock/dislock/backend/redigo"
	"github.com/dislock/dislock/internal/recipe/recipetest"
)

// TestRecipe runs with a pool whose GetContext knows contexts, so that calls run
// where they are made, and with one where they can not.
func TestRecipe(t *testing.T) {
	t.Run("DialContext", func(t *testing.T) {
		recipetest.Run(t, func(tb testing.TB, login recipetest.Login) backend.Backend {
			return closed(tb, redigo.New(newPool(tb, login)))
		})
	})
	t.Run("Dial", func(t *testing.T) {
		recipetest.Run(t, func(tb testing.TB, login recipetest.Login) backend.Backend {
			pool := newPool(tb, login)
			withContext := pool.DialContext
			pool.DialContext = nil
			pool.Dial = func() (redis.Conn, error) { return withContext(context.Background()) }
			return closed(tb, redigo.New(pool))
		})
	})
}

// closed has b closed when the test ends, before its pool.
func closed(tb testing.TB, b *redigo.Backend) *redigo.Backend {
	tb.Cleanup(func() { b.Close() })
	return b
}

func newPool(tb testing.TB, login recipetest.Login, options ...redis.DialOption) *redis.Pool {
	options = append(options, redis.DialUsername(login.User), redis.DialPassword(login.Password))
	pool := &redis.Pool{
		MaxIdle: 8,
		DialContext: func(ctx context.Context) (redis.Conn, error) {
			return redis.DialContext(ctx, "tcp", login.Addr, options...)
		},
	}
	tb.Cleanup(func() { pool.Close() })
	return pool
}
