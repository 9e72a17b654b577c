package goredis

import (
	"context"
	"fmt"
	"net"
	"strings"
	"sync/atomic"

	"github.com/redis/go-redis/v9"

	"github.com/dislock/dislock/internal/recipe"
)

var _ recipe.Replicator = driver{}

// mustKnowItsNodes panics if driver.node does not know a client like this.
func mustKnowItsNodes(client redis.UniversalClient) {
	switch client.(type) {
	case *redis.Client, *redis.ClusterClient, *redis.Ring:
	default:
		panic(fmt.Sprintf("dislock/backend/goredis: New: WithReplicas does not know which server a %T talks to", client))
	}
}

// node returns the client of the one server that has key. A pipeline of a cluster or a
// ring does not do: a WAIT has no key, so it is refused there, or goes to any node;
// and it stays behind when the script is redirected, with an answer that says nothing.
func (d driver) node(ctx context.Context, key string) (*redis.Client, error) {
	switch c := d.client.(type) {
	case *redis.ClusterClient:
		return c.MasterForKey(ctx, key)
	case *redis.Ring:
		return c.GetShardClientForKey(key)
	}
	return d.client.(*redis.Client), nil
}

// maxRedirects is how often a cluster may send a command on before it is an error.
const maxRedirects = 3

// DoAndWait goes where a cluster sends it, as [driver.Do] does, with both commands: a
// node that redirects, or has become a replica, has done nothing.
func (d driver) DoAndWait(ctx context.Context, args, wait []any) (reply, acknowledged any, err error) {
	key := args[firstKey].(string)
	node, err := d.node(ctx, key)
	if err != nil {
		return nil, nil, err
	}
	asks := false
	for redirects := 0; ; redirects++ {
		reply, acknowledged, err = both(ctx, node, asks, args, wait)
		if err == nil {
			return reply, acknowledged, nil
		}
		cluster, ok := d.client.(*redis.ClusterClient)
		if !ok || redirects == maxRedirects {
			d.lookAround(ctx, err)
			return nil, nil, err
		}
		var next *redis.Client
		var addr string
		_, moved := redis.IsMovedError(err)
		addr, asks = redis.IsAskError(err)
		switch {
		case asks:
			next = masterAt(ctx, cluster, addr)
		case moved, redis.IsReadOnlyError(err):
			_ = masterAt(ctx, cluster, "") // for the look around
			next, _ = d.node(ctx, key)
		}
		if next == nil {
			d.lookAround(ctx, err)
			return nil, nil, err
		}
		node = next
	}
}

// both sends args and wait at once. If asks, ASKING goes first: a node that is taking
// over a slot serves only who says so.
func both(ctx context.Context, node *redis.Client, asks bool, args, wait []any) (reply, acknowledged any, err error) {
	script, waiting := command(ctx, args), redis.NewCmd(ctx, wait...)
	pipe := node.Pipeline()
	if asks {
		_ = pipe.Process(ctx, redis.NewCmd(ctx, "asking"))
	}
	_ = pipe.Process(ctx, script)
	_ = pipe.Process(ctx, waiting)
	if _, err := pipe.Exec(ctx); err != nil {
		return nil, nil, err
	}
	return script.Val(), waiting.Val(), nil
}

// masterAt returns the client of the master at addr, nil if there is none, as of a node
// that takes over its very first slot. The cluster is asked anew which there are.
func masterAt(ctx context.Context, cluster *redis.ClusterClient, addr string) *redis.Client {
	if i := strings.LastIndexByte(addr, ':'); i >= 0 { // servers leave out the brackets of IPv6
		addr = net.JoinHostPort(strings.Trim(addr[:i], "[]"), addr[i+1:])
	}
	var found atomic.Pointer[redis.Client]
	_ = cluster.ForEachMaster(ctx, func(_ context.Context, node *redis.Client) error { // all at once
		if node.Options().Addr == addr {
			found.Store(node)
		}
		return nil
	})
	return found.Load()
}
