// Package redigo keeps leases in Redis through a pool of
// github.com/gomodule/redigo.
//
//	pool := &redis.Pool{
//		MaxIdle: 8,
//		DialContext: func(ctx context.Context) (redis.Conn, error) {
//			return redis.DialContext(ctx, "tcp", "localhost:6379",
//				redis.DialConnectTimeout(2*time.Second),
//				redis.DialReadTimeout(2*time.Second),
//				redis.DialWriteTimeout(2*time.Second))
//		},
//	}
//	mu := dislock.New(redigo.New(pool), "invoices:2026-11")
//
// The pool belongs to the caller, who closes it. A Backend takes one connection
// for each command and always gives it back.
//
// # What is supported
//
// A single server, of version 5 or later (the tests run on 7.0), and the master
// of a Sentinel group if the pool dials it. redigo has no client for Redis
// Cluster; backend/goredis has. It has to be the master: the no of a replica may
// be out of date. Replication is asynchronous: a failover may lose the latest
// lease, and give its key to somebody else. The fence of that one is larger, as
// long as the failover takes 10 ms, and the servers' clocks agree to within the
// time that it takes.
//
// # Settings
//
// Any pool is right: a call returns when its ctx ends, even if Dial, TestOnBorrow
// or the server hang. What then still hangs keeps its goroutine and its place in
// the pool until it is done, so set the three timeouts above.
//
// A *redis.Pool with DialContext, and without TestOnBorrow, IdleTimeout and
// MaxConnLifetime, is faster, because its calls need no goroutine to return in
// time. Its DialContext should heed its ctx, TLS handshake included. A dead
// connection then costs one failed command; the mutex tries again, but TryLock,
// which asks once, says false. A ctx that ends while the server owes an answer
// costs the connection.
//
// MaxIdle should be as large as the number of goroutines that lock at a time, or
// each of them dials anew. If MaxActive is set, set Wait as well.
//
// # Waiting
//
// While somebody waits for a lock, and some 10 s longer, the Backend keeps one
// connection of the pool for itself, on which the server tells waiters of their
// turn. [Backend.Close] ends it. If the pool may not open a second connection
// (MaxActive 1), or the server does not let it subscribe, waiters poll. A Conn
// that is not redigo's own has to implement ConnWithTimeout and ConnWithContext.
//
// # Permissions
//
// This user can lock, and nothing else:
//
//	ACL SETUSER lock on >password ~dislock:* &dislock:* +evalsha +eval
//	    +get +set +incr +exists +pexpire +pttl +del +time +zadd +zrange +zrank +zrem +zpopmin
//	    +subscribe +ping +publish +pubsub|numsub
//
// with +select if the pool dials with DialDatabase, +client|setname with
// DialClientName, and +ping if TestOnBorrow sends it.
//
// # Layout
//
// The key KEY is in Redis under dislock:{KEY} and holds the owner's token, a plain
// string that expires. So
//
//	redis-cli GET 'dislock:{KEY}'
//
// says who holds it, and every client that takes a lock with SET NX PX and
// releases it by comparing excludes this one and is excluded by it; for redis-py
// that is Lock(client, "dislock:{KEY}", timeout=30). Next to it,
// dislock:{KEY}:fence counts the fences and expires after a day; it can be
// deleted at any time, and fences still grow. dislock:{KEY}:line holds those who
// wait, while there are any, and its deletion costs them their places. If KEY
// starts with '}' or '\', a '\' precedes it.
//
// The algorithm is the one for a single instance in the Redis documentation,
// https://redis.io/docs/latest/develop/clients/patterns/distributed-locks/.
package redigo
