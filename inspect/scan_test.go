package inspect_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/dislock/dislock/backend"
	"github.com/dislock/dislock/backend/goredis"
	"github.com/dislock/dislock/inspect"
	"github.com/dislock/dislock/internal/redistest"
)

// odd are keys that look like something else: a pattern, a hash tag, a counter.
var odd = []string{
	"a", "a*", "a?b", "axb", "[a]", "[ab", "]", "^", "-", "}", "}a", "}}", `\`, `\}`, `\\`, `\a`, "{", "{}", "a}b", "{a}b",
	"a{b}", "\x00", "\n", "\xff\xfe", "ä", "{}{a}", "a}:fence", "a}:line", "*", "?",
}

// take holds all of keys.
func take(t *testing.T, b backend.Backend, keys []string) {
	t.Helper()
	for _, key := range keys {
		if _, err := b.SetNX(within(t), key, backend.NewToken("owner of "+key), time.Minute); err != nil {
			t.Fatal(err)
		}
	}
}

// all returns the locks by key, and fails if there is one twice.
func all(t *testing.T, i *inspect.Inspector, prefix string) map[string]inspect.Lock {
	t.Helper()
	locks := make(map[string]inspect.Lock)
	for l, err := range i.Locks(within(t), prefix) {
		if err != nil {
			t.Fatal(err)
		}
		if _, twice := locks[l.Key]; twice || !l.Held() || l.Owner != "owner of "+l.Key {
			t.Errorf("%+v, again: %v", l, twice)
		}
		locks[l.Key] = l
	}
	return locks
}

// checkAll holds that exactly those of keys are found that begin with a prefix,
// whichever that is.
func checkAll(t *testing.T, i *inspect.Inspector, keys []string, prefixes ...string) {
	t.Helper()
	for _, prefix := range prefixes {
		var want []string
		for _, key := range keys {
			if strings.HasPrefix(key, prefix) {
				want = append(want, key)
			}
		}
		slices.Sort(want)
		if got := slices.Sorted(maps.Keys(all(t, i, prefix))); !slices.Equal(got, want) {
			t.Errorf("with the prefix %q: %q, want %q", prefix, got, want)
		}
	}
}

func TestOddKeys(t *testing.T) {
	t.Parallel()
	s, client, i := server(t)
	take(t, open(t, client), odd)
	s.Do(t, "SET", `dislock:{\never written like this}`, "x")
	s.Do(t, "SET", "dislock:{}", "x")
	s.Do(t, "SET", "other", "x")
	checkAll(t, i, odd, append([]string{"", "none"}, odd...)...)
	for _, key := range odd {
		if l := look(t, i, key); l.Owner != "owner of "+key {
			t.Errorf("%q: %+v", key, l)
		}
	}
}

func TestPrefix(t *testing.T) {
	t.Parallel()
	_, client, i := server(t)
	const prefix = `te*m[1]\`
	take(t, open(t, client), []string{"a"})
	take(t, goredis.New(client, goredis.WithPrefix(prefix)), []string{"a", "b"})
	take(t, goredis.New(client, goredis.WithPrefix("team1")), []string{"c"})
	checkAll(t, i, []string{"a"}, "")
	checkAll(t, inspect.New(client, inspect.WithPrefix(prefix)), []string{"a", "b"}, "", "b")
}

// many are more than one SCAN looks at, and than are read at once.
func many(n int) (keys []string) {
	for i := range n {
		keys = append(keys, fmt.Sprintf("job:%d", i))
	}
	return keys
}

func TestManyLocks(t *testing.T) {
	t.Parallel()
	s, client, i := server(t)
	keys := many(700)
	take(t, open(t, client), keys)
	s.ResetStats(t)
	checkAll(t, i, keys, "")
	stats := s.CommandStats(t)
	if stats["scan"] < 2 || stats["exec"] != 700 || stats["keys"] != 0 {
		t.Errorf("%d SCAN, %d EXEC, %d KEYS; want several, 700 and none", stats["scan"], stats["exec"], stats["keys"])
	}
	n := 0
	for range i.Locks(within(t), "") {
		if n++; n == 3 {
			break
		}
	}
	if n != 3 {
		t.Errorf("%d locks, want to have stopped at 3", n)
	}
}

// TestSpoiltKey holds that one key that is no lock does not hide the others.
func TestSpoiltKey(t *testing.T) {
	t.Parallel()
	s, client, i := server(t)
	take(t, open(t, client), []string{"a", "b"})
	s.Do(t, "RPUSH", "dislock:{spoilt}", "x")
	var locks, spoilt int
	for l, err := range i.Locks(within(t), "") {
		switch {
		case err == nil:
			locks++
		case l == (inspect.Lock{Key: "spoilt"}) && redis.HasErrorPrefix(err, "WRONGTYPE"):
			spoilt++
		default:
			t.Errorf("%+v, %v", l, err)
		}
	}
	if locks != 2 || spoilt != 1 {
		t.Errorf("%d locks and %d errors, want 2 and 1", locks, spoilt)
	}
}

func TestServerAway(t *testing.T) {
	t.Parallel()
	s := redistest.Start(t)
	i := inspect.New(connect(t, &redis.Options{Addr: s.Addr(), DialerRetries: 1, MinRetryBackoff: -1}))
	s.Kill()
	n := 0
	for l, err := range i.Locks(within(t), "") {
		if n++; !errors.Is(err, syscall.ECONNREFUSED) || l != (inspect.Lock{}) {
			t.Errorf("%+v, %v from a server that is away", l, err)
		}
	}
	if _, err := i.Lock(within(t), key); !errors.Is(err, syscall.ECONNREFUSED) || n != 1 {
		t.Errorf("error %v, and %d from all; want one of each, that says why", err, n)
	}
	ended, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := i.Lock(ended, key); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v, want that of the ctx", err)
	}
}

func TestCluster(t *testing.T) {
	t.Parallel()
	cluster := redistest.StartCluster(t, 3)
	client := redis.NewClusterClient(&redis.ClusterOptions{Addrs: cluster.Addrs(), ContextTimeoutEnabled: true})
	defer client.Close()
	shards(t, client)

	for _, node := range cluster.Nodes {
		user(t, node, append(documented(t), "+cluster|slots", "+command"))
	}
	watch := redis.NewClusterClient(&redis.ClusterOptions{Addrs: cluster.Addrs(), Username: "watch", Password: "password"})
	defer watch.Close()
	checkAll(t, inspect.New(watch), many(100)[10:], "job:")
	if l := look(t, inspect.New(watch), "job:99"); l.Owner != "owner of job:99" {
		t.Errorf("the documented user sees %+v", l)
	}
}

func TestRing(t *testing.T) {
	t.Parallel()
	one, two := redistest.Start(t), redistest.Start(t)
	client := redis.NewRing(&redis.RingOptions{Addrs: map[string]string{"one": one.Addr(), "two": two.Addr()}})
	defer client.Close()
	shards(t, client)
	if len(one.Keys(t)) == 0 || len(two.Keys(t)) == 0 {
		t.Error("one shard has no lock")
	}
}

// shards looks at locks on several servers, and ends one.
func shards(t *testing.T, client redis.UniversalClient) {
	t.Helper()
	keys := append(many(100), odd...)
	b := goredis.New(client)
	defer b.Close()
	take(t, b, keys)
	i := inspect.New(client)
	checkAll(t, i, keys, "", "job:1", "}")
	for _, key := range keys[:10] {
		after, err := i.Break(within(t), look(t, i, key))
		if err != nil || after.Held() {
			t.Errorf("Break of %q: %+v, %v; want it free", key, after, err)
		}
	}
	checkAll(t, i, keys[10:], "")
}
