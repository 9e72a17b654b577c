package redigo

import (
	"log/slog"
	"time"

	"github.com/dislock/dislock/internal/recipe"
)

// Option changes what [New] does by default.
type Option func(*options)

type options struct {
	prefix   string
	logger   *slog.Logger
	replicas int // 0: none
	within   time.Duration
}

// WithPrefix sets what the names of all keys start with; the default is
// "dislock:". It panics if prefix contains a brace: the first pair of braces in
// a name decides where Redis Cluster keeps it, and that pair is around the key.
func WithPrefix(prefix string) Option {
	recipe.CheckPrefix(prefix)
	return func(o *options) { o.prefix = prefix }
}

// WithLogger sets where it is said, once, that waiters have to poll because the
// server can not tell them of their turn; the default is [slog.Default].
func WithLogger(logger *slog.Logger) Option {
	return func(o *options) { o.logger = logger }
}

// WithReplicas makes a request that takes or prolongs a lease succeed only when n
// replicas have acknowledged it, for which it waits up to within; by default none is
// waited for. It panics unless both are positive.
//
// Redis answers before its replicas know. Should the primary die just then, a replica
// may take over that has never heard of the lease, and give the key to somebody else.
// With this option nobody believes to have a lease that was on fewer than n replicas when
// it was taken or last prolonged. If fewer acknowledge it in time, the outcome is unknown, like that of a request whose
// answer was lost: the mutex asks again, or takes back what it may have got, and a
// renewal is tried again until the lease's deadline. As long as the replicas stay
// behind there are no new leases, and those there are get lost, in time.
//
// It costs one more command, WAIT, in the same round trip, and what the replicas take
// to answer, also if the key is held by another. Who is given the key in line needs
// one more request before it is told so, of the backend's own. A release waits for
// nobody. within is in whole milliseconds, at least one, and Redis takes up to 100 ms
// longer. So no more of it is used than half of what is left of the request's ctx,
// which the mutex gives a quarter of the ttl, 3 s at most, and the first renewal after
// a turn in line a quarter of the claim, often 250 ms, as has the word to the waiter. A read timeout of the
// connection should be longer than within.
//
// The user needs the permission +wait. All who share a lock should want the same:
// while somebody waits for more replicas than there are, without end in a Lock, the key is
// in its name.
//
// This narrows the window and does not close it, and makes no consistent store of
// Redis. What counts is which replica takes over: if it need not be one that has
// acknowledged, because n is less than all of them, the lease may still be lost. Nor
// does an acknowledgement mean that the replica has written it to its disk. The fence
// of a lease is for what remains.
func WithReplicas(n int, within time.Duration) Option {
	recipe.CheckReplicas(n, within)
	return func(o *options) { o.replicas, o.within = n, within }
}
