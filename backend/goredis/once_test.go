package goredis_test

import (
	"context"
	"net"
	"slices"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/dislock/dislock/backend"
	"github.com/dislock/dislock/backend/goredis"
	"github.com/dislock/dislock/internal/redistest"
)

// TestSentOnce loses the reply of each command once, through every kind of client
// at its defaults, which repeat what was lost. The first case shows that they do.
func TestSentOnce(t *testing.T) {
	server := redistest.Start(t)
	proxy := redistest.NewProxy(t, server.Addr())
	single := redis.NewClient(&redis.Options{Addr: proxy.Addr()})
	t.Cleanup(func() { single.Close() })
	ring := redis.NewRing(&redis.RingOptions{Addrs: map[string]string{"one": proxy.Addr()}})
	t.Cleanup(func() { ring.Close() })

	node := redistest.StartCluster(t, 1)
	clusterProxy := redistest.NewProxy(t, node.Addrs()[0])
	cluster := redis.NewClusterClient(&redis.ClusterOptions{
		Addrs: node.Addrs(),
		Dialer: func(ctx context.Context, network, _ string) (net.Conn, error) {
			var d net.Dialer
			return d.DialContext(ctx, network, clusterProxy.Addr())
		},
	})
	t.Cleanup(func() { cluster.Close() })

	for _, c := range []struct {
		name   string
		client redis.UniversalClient
		proxy  *redistest.Proxy
	}{{"client", single, proxy}, {"ring", ring, proxy}, {"cluster", cluster, clusterProxy}} {
		t.Run(c.name, func(t *testing.T) {
			b := goredis.New(c.client)
			turn(t, b, "k")
			ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
			defer cancel()

			lose := func(command string, call func() error) (sent int, err error) {
				c.proxy.ResetLog()
				c.proxy.LoseReply(command, 1)
				err = call()
				log := c.proxy.Log()
				return len(log) - len(slices.DeleteFunc(log, func(name string) bool { return name == command })), err
			}
			sent, err := lose("SET", func() error { return c.client.Set(ctx, "plain", 1, time.Minute).Err() })
			if sent < 2 || err != nil {
				t.Fatalf("go-redis sent a plain SET %d times, %v; this test rests on its repeating", sent, err)
			}
			for name, call := range map[string]func() error{
				"SetNX":         func() error { _, err := b.SetNX(ctx, "k", "token", time.Minute); return err },
				"ExpireIfOwner": func() error { return b.ExpireIfOwner(ctx, "k", "token", time.Minute) },
				"DeleteIfOwner": func() error { return b.DeleteIfOwner(ctx, "k", "token") },
			} {
				sent, err := lose("EVALSHA", call)
				if sent != 1 || err == nil || err == backend.ErrNotOwner {
					t.Errorf("%s was sent %d times and says %v; want once and an unknown outcome", name, sent, err)
				}
			}
		})
	}
}
