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
// time that it takes. [WithReplicas] narrows that.
//
// After a failover by hand the old master goes on answering for a while, and a pool
// keeps its connections to it: drop them when the Sentinel says +switch-master, or
// give the servers min-replicas-to-write.
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
//	ACL SETUSER lock on >password ~dislock:* +evalsha +eval
//	    +get +set +incr +exists +pexpire +pttl +del +time +zpopmin
//	    +zadd +zrange +zrank +zrem
//	    &dislock:* +subscribe +publish +pubsub|numsub +ping
//
// The first two lines let it lock, renew and unlock. With the third it can wait, and
// with the fourth it is told of its turn: a user without that polls. Of these,
// +pubsub|numsub tells which waiters have died, each of which otherwise costs its
// claim, and +ping whether the connection is still good, which otherwise is made anew
// every few seconds.
//
// It needs +select as well if the pool dials with DialDatabase, +client|setname with
// DialClientName, and +wait with [WithReplicas]. A TestOnBorrow that pings needs +ping.
//
// # TLS and passwords
//
//	DialContext: func(ctx context.Context) (redis.Conn, error) {
//		return redis.DialURLContext(ctx, "rediss://lock:password@redis.example:6379/0",
//			redis.DialTLSConfig(&tls.Config{
//				RootCAs:      authorities,                    // unless the system trusts them
//				Certificates: []tls.Certificate{certificate}, // if the server asks for one
//			}),
//			redis.DialTLSHandshakeTimeout(2*time.Second),
//			redis.DialConnectTimeout(2*time.Second),
//			redis.DialReadTimeout(2*time.Second),
//			redis.DialWriteTimeout(2*time.Second))
//	},
//
// A password or certificate that is refused is an error that matches
// dislock.ErrUnavailable and says why, though with TLS 1.3 the reason why a server
// refuses a client's certificate may get lost with the connection. A URL that can not
// be parsed is shown in the error, its password included: parse it once, before.
// redigo does not look at ctx in a handshake; a call returns when its ctx ends, and
// what it leaves behind ends by DialTLSHandshakeTimeout, 10 s by default.
//
// A password that is changed does not end connections that are open. When they end,
// as by CLIENT KILL USER, nothing is renewed any more, and holders are told by their
// deadline.
//
// # Secrets
//
// Whoever knows the token of a lease can prolong and release it. No error, log line or
// hook of this module shows one. But Redis does: to who may read the key, in MONITOR
// and SLOWLOG, and in what it writes to disk. So does a connection of
// [redis.NewLoggingConn]. The owner's label, in front of it, is no secret.
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
