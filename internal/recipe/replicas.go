package recipe

import (
	"context"
	"fmt"
	"time"
)

// A Replicator is a [Driver] that can also ask how many replicas have a write.
type Replicator interface {
	Driver

	// DoAndWait is Do with a second command, wait, right behind the first on the same
	// connection, and returns the replies to both. The error is that of the first, or
	// else that of the second.
	DoAndWait(ctx context.Context, args, wait []any) (reply, acknowledged any, err error)
}

// AwaitReplicas makes every request that takes or prolongs a lease wait, for at most
// within, until n replicas have acknowledged it; if fewer do, its outcome is unknown.
// It is called before the Recipe is used, and panics if [CheckReplicas] would.
func (r *Recipe) AwaitReplicas(driver Replicator, n int, within time.Duration) {
	CheckReplicas(n, within)
	r.replicas = &replicas{driver, n, within}
}

// CheckReplicas panics if nobody can wait like this: for no replica there is nothing
// to wait for, and to WAIT a time of 0 means for ever.
func CheckReplicas(n int, within time.Duration) {
	if n < 1 {
		panic(fmt.Sprintf("dislock: %d replicas to wait for are less than one", n))
	}
	if within <= 0 {
		panic(fmt.Sprintf("dislock: the time to wait for replicas must be positive, not %v", within))
	}
}

// replicas are those that have to have a lease before anybody relies on it.
//
// A lease of which too few have heard is left where it is, like one whose answer
// was lost: whoever asked for it asks again with its token, and finds it, or gives it
// back. To delete it here looks tidier. But whoever asks again does so with the same
// token, and a delete that is late would hit the lease that it finds then.
type replicas struct {
	driver Replicator
	n      int
	within time.Duration
}

// awaitedFor returns the replicas that have to have what s writes, nil for none.
// A release is not waited for: a replica that has not heard of it keeps the key for
// its ttl, which delays others and lets nobody in.
func (r *Recipe) awaitedFor(s *script) *replicas {
	switch s {
	case acquire, join, extend, confirm:
		return r.replicas
	}
	return nil
}

// do is what [Driver].Do is without replicas.
//
// Scripts can not wait, so the WAIT follows the script; it has to be on the same
// connection, because it waits for what that one wrote. Replicas take writes in their
// order, so who has this one has all before it, such as the release by which somebody
// else gave the token the key. The scripts that are waited for write each time that
// they grant something, also if the token had it already.
func (r *replicas) do(ctx context.Context, args []any) (any, error) {
	within := r.within
	if at, ok := ctx.Deadline(); ok {
		// The answer has to arrive, too, and Redis, which looks at its clock ten times a
		// second, gives it up to 100 ms late.
		within = min(within, time.Until(at)/2)
	}
	within = max(within.Truncate(time.Millisecond), time.Millisecond)
	reply, acknowledged, err := r.driver.DoAndWait(ctx, args, []any{"wait", r.n, within.Milliseconds()})
	if err != nil {
		return nil, err
	}
	if n, ok := number(reply); !ok || n == 0 {
		return reply, nil // nothing was granted
	}
	switch n, ok := number(acknowledged); {
	case !ok:
		return nil, fmt.Errorf("wait: unexpected reply of type %T", acknowledged)
	case n < int64(r.n):
		return nil, fmt.Errorf("%d of %d replicas have acknowledged it within %v", n, r.n, within)
	}
	return reply, nil
}
