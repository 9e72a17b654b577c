package inspect

import (
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
)

// What a server can not know of its waiters it must not conclude from: nodes of a
// cluster count their own listeners only, and a living waiter would be passed over.
func TestWhoCounts(t *testing.T) {
	one, cluster, ring := redis.NewClient(&redis.Options{}), redis.NewClusterClient(&redis.ClusterOptions{}), redis.NewRing(&redis.RingOptions{})
	for _, client := range []redis.UniversalClient{one, cluster, ring} {
		defer client.Close()
		if got := (&breaker{client: client}).Counts(); got != (client == redis.UniversalClient(one)) {
			t.Errorf("%T counts: %v", client, got)
		}
	}
}

// A release that is watched must not be sent again on a connection where it is not.
func TestBreakIsSentOnce(t *testing.T) {
	if !(once{}).NoRetry() {
		t.Error("go-redis may send it twice")
	}
}

// The edges of what PTTL says: the last millisecond is not for ever, and a key that has
// ended between two commands is free.
func TestEdgesOfTTL(t *testing.T) {
	for pttl, want := range map[int64]Lock{
		0:    {TTL: time.Millisecond},
		1500: {TTL: 1500 * time.Millisecond},
		-1:   {TTL: 0},
	} {
		s, err := decode([]any{"owner:token", pttl, nil, int64(-2), int64(0)})
		if err != nil {
			t.Fatal(err)
		}
		if l := s.lock("k", time.Now()); !l.Held() || l.TTL != want.TTL {
			t.Errorf("PTTL %d: %+v, want it held for %v", pttl, l, want.TTL)
		}
	}
	s, err := decode([]any{"owner:token", int64(noKey), nil, int64(-2), int64(3)})
	if l := s.lock("k", time.Now()); err != nil || l != (Lock{Key: "k", Waiting: 3}) {
		t.Errorf("a key that has just ended: %+v, %v; want it free", l, err)
	}
}
