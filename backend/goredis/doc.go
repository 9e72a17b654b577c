// Package goredis keeps leases in Redis through a client of
// github.com/redis/go-redis/v9.
//
//	client := redis.NewClient(&redis.Options{
//		Addr:                  "localhost:6379",
//		ContextTimeoutEnabled: true,
//	})
//	mu := dislock.New(goredis.New(client), "invoices:2026-11")
//
// The client belongs to the caller, who closes it. It is not configured, and
// other commands may go through it at the same time.
//
// # What is supported
//
// Every client that [redis.NewUniversalClient] returns, and a [redis.Ring]: a
// single server, a Sentinel group, a Cluster, shards; of version 5 or later. The
// tests run on 7.0.
//
// It has to be the master that is asked (no ReplicaOnly): the no of a replica may
// be out of date. Replication is asynchronous: a failover may lose the latest
// lease, and give its key to somebody else. The fence of that one is larger, as
// long as the failover takes 10 ms, and the servers' clocks agree to within the
// time that it takes. [WithReplicas] narrows that. A Ring moves
// keys to other shards when one of them fails, and then knows nothing of the
// leases on it. A ClusterClient that gets no answer is told to look for who has taken
// over, which by itself it does every 10 s.
//
// While a Cluster moves a slot, a key in it can be prolonged and released, but
// taking it may fail until it has been moved as a whole.
//
// # Settings
//
// Any client is right: a call returns when its ctx ends, and a command is sent
// once, whatever MaxRetries says. (go-redis by default repeats a command whose
// answer was lost. A release that worked is then refused, because the lock is not
// there any more. The mutex itself tries again where that is safe.) But while a
// server is silent, go-redis holds on to a goroutine and a connection after the
// call has returned, for as long as these let it:
//
//   - ContextTimeoutEnabled: true ends that at the deadline of ctx. Without it
//     go-redis does not look at ctx while it waits for an answer. It also makes a
//     [redis.Client] faster: a call that nobody can cancel (Lock, TryLock, Unlock,
//     a renewal) then needs no goroutine to return in time, unless the client has an
//     OnConnect, a Limiter or a credentials provider, which may ignore ctx. A hook
//     should heed it.
//   - ReadTimeout and WriteTimeout, 3 s by default, end it also after ctx was
//     cancelled. -1 and -2 turn them off: do not.
//   - DialerRetries, 5 by default, is how often go-redis dials before it says what
//     is wrong. With a ttl below a few seconds the mutex does not wait that long,
//     and its error says no more than that there was no answer.
//   - PoolSize, 10 for each CPU by default, bounds how many commands, of locks and
//     everything else, are under way at a time; PoolTimeout how long one waits for
//     its turn.
//
// # Waiting
//
// While somebody waits for a lock, and some 10 s longer, the Backend keeps one
// connection more, on which the server tells waiters of their turn.
// [Backend.Close] ends it. If the server does not let it subscribe, waiters poll,
// and so they do on a Ring, whose shards do not know of each other's subscribers. On
// a Cluster a node does not know who listens to the others, so that a waiter that
// was killed is noticed only when its claim has run out.
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
// It needs +cluster|slots, +command and +asking as well for a Cluster, and +readonly if
// the client reads from replicas; +select for a DB other than 0, +client|setname for a
// ClientName, and +wait for [WithReplicas]. go-redis tries CLIENT SETINFO and CLIENT
// MAINT_NOTIFICATIONS as well and does without them.
//
// # TLS and passwords
//
//	options, err := redis.ParseURL("rediss://lock:password@redis.example:6379/0")
//	if err != nil {
//		return err
//	}
//	options.TLSConfig.RootCAs = authorities                        // unless the system trusts them
//	options.TLSConfig.Certificates = []tls.Certificate{certificate} // if the server asks for one
//	options.ContextTimeoutEnabled = true
//	client := redis.NewClient(options)
//
// A password or certificate that is refused is an error that matches
// dislock.ErrUnavailable and says why, though with TLS 1.3 the reason why a server
// refuses a client's certificate may get lost with the connection. go-redis does not
// look at ctx in a handshake; a call returns when its ctx ends, and what it leaves
// behind ends by DialTimeout.
//
// A password that is changed does not end connections that are open. When they end,
// as by CLIENT KILL USER, nothing is renewed any more, and holders are told by their
// deadline.
//
// # Secrets
//
// Whoever knows the token of a lease can prolong and release it. No error, log line or
// hook of this module shows one. But Redis does: to who may read the key, in MONITOR
// and SLOWLOG, and in what it writes to disk. So does a [redis.Hook] that prints
// commands. The owner's label, in front of it, is no secret.
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
// wait, while there are any, and its deletion costs them their places. All are
// in one slot of a Cluster. If KEY starts with '}' or '\', a '\' precedes it.
//
// The algorithm is the one for a single instance in the Redis documentation,
// https://redis.io/docs/latest/develop/clients/patterns/distributed-locks/.
package goredis
