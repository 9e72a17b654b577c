package crossing

import (
	"context"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gomodule/redigo/redis"
	goredisclient "github.com/redis/go-redis/v9"
	"go.uber.org/goleak"

	"github.com/dislock/dislock/backend"
	"github.com/dislock/dislock/backend/goredis"
	"github.com/dislock/dislock/backend/redigo"
	"github.com/dislock/dislock/conformance"
	"github.com/dislock/dislock/internal/redistest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// drivers are the two adapters, each on a client at its defaults.
var drivers = map[string]func(tb testing.TB, addr, user, password string) backend.Backend{
	"redigo": func(tb testing.TB, addr, user, password string) backend.Backend {
		pool := &redis.Pool{MaxIdle: 8, Dial: func() (redis.Conn, error) {
			return redis.Dial("tcp", addr, redis.DialUsername(user), redis.DialPassword(password))
		}}
		b := redigo.New(pool)
		tb.Cleanup(func() { b.Close(); pool.Close() })
		return b
	},
	"goredis": func(tb testing.TB, addr, user, password string) backend.Backend {
		client := goredisclient.NewClient(&goredisclient.Options{Addr: addr, Username: user, Password: password})
		b := goredis.New(client)
		tb.Cleanup(func() { b.Close(); client.Close() })
		return b
	},
}

func withRedigo(tb testing.TB, addr string) backend.Backend {
	return drivers["redigo"](tb, addr, "", "")
}

func withGoRedis(tb testing.TB, addr string) backend.Backend {
	return drivers["goredis"](tb, addr, "", "")
}

// TestConformance runs the suite on a store whose clients are of either driver by
// turns, so that what one case takes with redigo it prolongs with go-redis.
func TestConformance(t *testing.T) {
	server := redistest.Start(t)
	server.CheckBounded(t)
	conformance.Run(t, conformance.Harness{
		Open: func(testing.TB) conformance.Store {
			var clients atomic.Int32
			return conformance.Store{
				Connect: func(tb testing.TB) backend.Backend {
					if clients.Add(1)%2 == 0 {
						return withGoRedis(tb, server.Addr())
					}
					return withRedigo(tb, server.Addr())
				},
				Wipe: server.Flush,
			}
		},
		Dial: withRedigo,
		Line: true,
	})
}

// TestThereAndBack is the crossing in so many words.
func TestThereAndBack(t *testing.T) {
	server := redistest.Start(t)
	ctx, key, ttl := context.Background(), "orders", time.Minute
	one, two := withRedigo(t, server.Addr()), withGoRedis(t, server.Addr())
	last := uint64(0)
	for range 2 {
		token := backend.NewToken("there and back")
		fence, err := one.SetNX(ctx, key, token, ttl)
		if err != nil || fence <= last {
			t.Fatalf("SetNX: fence %d after %d, error %v", fence, last, err)
		}
		last = fence
		if again, err := two.SetNX(ctx, key, token, ttl); err != nil || again != fence {
			t.Errorf("SetNX by the other driver with the same token: fence %d, error %v, want fence %d", again, err, fence)
		}
		if _, err := two.SetNX(ctx, key, "another", ttl); err == nil || !strings.HasPrefix(err.Error(), `held by "there and back" for another `) {
			t.Errorf("SetNX by the other driver with another token: %v", err)
		}
		if err := two.ExpireIfOwner(ctx, key, token, ttl); err != nil {
			t.Errorf("ExpireIfOwner by the other driver: %v", err)
		}
		if err := one.DeleteIfOwner(ctx, key, token); err != nil {
			t.Errorf("DeleteIfOwner by the first driver: %v", err)
		}
		one, two = two, one
	}
}
