package inspect

import (
	"context"
	"fmt"
	"iter"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"
)

const (
	scanCount = 500 // keys that one SCAN looks at
	batch     = 100 // locks that are read in one round trip, at most
)

// Locks returns all locks that are held and whose keys begin with prefix, in no
// order, each once. It asks while it is ranged over, and holds nothing of the client
// between two locks.
//
// An error that concerns one key, as when it is of another type, comes with a Lock that
// has this Key and nothing else, and the walk goes on. One that ends the walk comes
// with the zero Lock.
//
// A lock that is held from beginning to end of the walk is in it, and one that was not
// held at all is not. One that was taken or released meanwhile may be. While a Cluster
// moves a slot, its locks may be missing; so are those on a shard of a Ring that is down.
func (i *Inspector) Locks(ctx context.Context, prefix string) iter.Seq2[Lock, error] {
	return func(yield func(Lock, error) bool) {
		nodes, err := i.nodes(ctx)
		if err != nil {
			yield(Lock{}, fmt.Errorf("dislock/inspect: locks: %w", err))
			return
		}
		seen := make(map[string]bool) // SCAN may say a name twice
		for _, node := range nodes {
			if !i.walk(ctx, node, prefix, seen, yield) {
				return
			}
		}
	}
}

// nodes returns the clients of the servers that have keys.
func (i *Inspector) nodes(ctx context.Context) (nodes []redis.Cmdable, err error) {
	var mu sync.Mutex
	add := func(_ context.Context, node *redis.Client) error {
		mu.Lock()
		defer mu.Unlock()
		nodes = append(nodes, node)
		return nil
	}
	switch client := i.client.(type) {
	case *redis.ClusterClient:
		err = client.ForEachMaster(ctx, add) // all at once
	case *redis.Ring:
		err = client.ForEachShard(ctx, add)
	default:
		nodes = []redis.Cmdable{client}
	}
	return nodes, err
}

// walk yields the locks of one node, and reports whether to go on with the next.
func (i *Inspector) walk(ctx context.Context, node redis.Cmdable, prefix string, seen map[string]bool, yield func(Lock, error) bool) bool {
	for cursor := uint64(0); ; {
		found, next, err := node.Scan(ctx, cursor, pattern(i.prefix, prefix), scanCount).Result()
		if err != nil {
			yield(Lock{}, fmt.Errorf("dislock/inspect: locks: %w", err))
			return false
		}
		var keys []string
		for _, name := range found {
			if key, ok := keyOf(i.prefix, name); ok && !seen[key] {
				seen[key] = true
				keys = append(keys, key)
			}
		}
		for len(keys) > 0 {
			n := min(batch, len(keys))
			if !i.show(ctx, node, keys[:n], yield) {
				return false
			}
			keys = keys[n:]
		}
		if cursor = next; cursor == 0 {
			return true
		}
	}
}

// show yields those of keys that are held.
func (i *Inspector) show(ctx context.Context, node redis.Cmdable, keys []string, yield func(Lock, error) bool) bool {
	asked := time.Now()
	pipe := node.Pipeline()
	var transactions []*redis.Cmd
	for _, key := range keys {
		// A transaction of its own for each: together they would keep the server, and a
		// Cluster has no transactions across slots.
		pipe.Do(ctx, "multi")
		ask(ctx, pipe, namesOf(i.prefix, key))
		transactions = append(transactions, pipe.Do(ctx, "exec"))
	}
	_, sent := pipe.Exec(ctx)
	for n, key := range keys {
		var s state
		replies, err := transactions[n].Slice()
		if err == nil && sent != nil && !isAnswer(sent) {
			err = sent
		}
		if err == nil {
			s, err = decode(replies)
		}
		if redis.HasErrorPrefix(err, aborted) {
			s, err = i.read(ctx, i.client, key) // it has moved; or this says why
		}
		switch {
		case err != nil && !isAnswer(err):
			yield(Lock{}, failed(key, err)) // the connection's: the next will have it, too
			return false
		case err != nil:
			if !yield(Lock{Key: key}, failed(key, err)) {
				return false
			}
		case s.held:
			if !yield(s.lock(key, asked), nil) {
				return false
			}
		}
	}
	return true
}
