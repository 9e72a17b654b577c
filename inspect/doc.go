// Package inspect reads who holds which lock in Redis, since when, and how many
// wait for it, and ends the lease of a holder that hangs. It is what the command
// dislock shows, for dashboards and tools of your own:
//
//	for lock, err := range inspect.New(client).Locks(ctx, "invoices:") {
//		if err != nil {
//			return err
//		}
//		fmt.Printf("%q %q %v %d\n", lock.Key, lock.Owner, lock.Since, lock.Waiting)
//	}
//
// It sees the locks of backend/redigo and backend/goredis alike, and those that
// another client of the same recipe keeps under such a key, of which it knows only
// that they are held and for how long.
//
// # What is seen
//
// What a [Lock] says of one key was true at one moment; the next moment it may be
// another's. It serves to look, not to decide: who finds a key free here does not
// hold it.
//
// Goroutines of one process that pass a lock on share a lease, and one of them at a
// time stands in line. So it is processes that are seen, not goroutines.
//
// The token of a lease, by which it can be prolonged and released, does not leave
// this package.
//
// # The user
//
// Looking takes nothing but commands that read. This user can do it, and nothing
// else:
//
//	ACL SETUSER watch on >password %R~dislock:*
//		+scan +multi +exec +get +pttl +zcard
//
// Before Redis 7 the keys are ~dislock:*. A Cluster needs +cluster|slots and +command
// as well, a database other than 0 +select, a ClientName +client|setname.
//
// [Inspector.Break] writes. It needs what the documentation of backend/goredis
// lists for a user who locks, and +watch, +unwatch, +multi, +exec and +zcard.
//
// # What it costs
//
// [Inspector.Lock] is one round trip. [Inspector.Locks] walks the whole keyspace,
// also the keys that are no locks, by SCAN, which never keeps others from their
// turn for long: a round trip for 500 keys, and one more for each hundred locks
// among them. Do it every few seconds, not in a loop. KEYS is never used.
package inspect
