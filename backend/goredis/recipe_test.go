package goredis_test

import (
	"testing"

	"github.com/redis/go-redis/v9"

	"github.com/dislock/dislock/backend"
	"github.com/dislock/dislock/backend/goredis"
	"github.com/dislock/dislock/internal/recipe/recipetest"
)

// TestRecipe runs with the client at its defaults and with the settings that the
// documentation recommends.
func TestRecipe(t *testing.T) {
	for name, contexts := range map[string]bool{"defaults": false, "ContextTimeoutEnabled": true} {
		t.Run(name, func(t *testing.T) {
			recipetest.Run(t, func(tb testing.TB, login recipetest.Login) backend.Backend {
				client := redis.NewClient(&redis.Options{
					Addr:                  login.Addr,
					Username:              login.User,
					Password:              login.Password,
					ContextTimeoutEnabled: contexts,
				})
				b := goredis.New(client)
				tb.Cleanup(func() { b.Close(); client.Close() })
				return b
			})
		})
	}
}
