package goredis

import (
	"context"
	"errors"
	"fmt"

	"github.com/redis/go-redis/v9"

	"github.com/dislock/dislock/backend"
)

// driver is a [recipe.Replicator].
type driver struct {
	client    redis.UniversalClient
	deadlines bool // the client honours the deadline of a ctx, see [honoursDeadlines]
}

// firstKey is where the first key stands in EVAL and EVALSHA, by which a cluster
// or a ring finds the node.
const firstKey = 3

func (d driver) Do(ctx context.Context, args []any) (reply any, err error) {
	cmd := command(ctx, args)
	if err := d.client.Process(ctx, cmd); err != nil {
		d.lookAround(ctx, err)
		return nil, err
	}
	return cmd.Val(), nil
}

// lookAround has a cluster's client look where the masters are when one of them gives
// no answer. By itself it does so when a node redirects it, which the dead do not, or
// after 10 s. It does not wait for that, and it is not done more often than that the
// client wants.
func (d driver) lookAround(ctx context.Context, err error) {
	cluster, ok := d.client.(*redis.ClusterClient)
	if answer := redis.Error(nil); ok && !errors.As(err, &answer) && !errors.Is(err, context.Canceled) {
		cluster.ReloadState(ctx)
	}
}

// command is args as go-redis is to send them: once, and not after ctx has ended.
func command(ctx context.Context, args []any) once {
	last := len(args) - 1
	args = append(args[:last:last], guard{ctx, args[last]}) // a copy: args may be sent again
	cmd := once{redis.NewCmd(ctx, args...)}
	cmd.SetFirstKeyPos(firstKey)
	return cmd
}

// Prompt holds if the deadline of ctx is its only end and the client heeds it. No
// go-redis that waits for a reply sees that a ctx was cancelled.
func (d driver) Prompt(ctx context.Context) bool {
	return d.deadlines && backend.EndsAtDeadline(ctx)
}

// honoursDeadlines reports whether client sets the deadline of a ctx on its
// sockets. It selects on ctx while it waits for a connection or dials. A cluster
// or a ring may wait for more than that, for what another goroutine asked a node;
// and what users hang into a client may wait for anything. Hooks can not be seen.
func honoursDeadlines(client redis.UniversalClient) bool {
	c, ok := client.(*redis.Client)
	if !ok {
		return false
	}
	o := c.Options()
	return o.ContextTimeoutEnabled &&
		o.ReadTimeout >= 0 && o.WriteTimeout >= 0 && // or no deadline is ever set, ctx or not
		o.OnConnect == nil && o.Limiter == nil && o.CredentialsProvider == nil &&
		o.CredentialsProviderContext == nil && o.StreamingCredentialsProvider == nil
}

func (d driver) NoScript(err error) bool { return redis.HasErrorPrefix(err, "NOSCRIPT") }

func (d driver) TryAgain(err error) bool { return redis.HasErrorPrefix(err, "TRYAGAIN") }

// guard is an argument that is only written while ctx goes on. A cluster client
// that still has to find and dial a node can send the command after ctx has ended,
// and would take the lock for a caller who left, after the mutex has made sure
// that it is free. The error makes go-redis drop the connection,
// with what it had buffered of the command.
type guard struct {
	ctx context.Context
	arg any
}

func (g guard) MarshalBinary() ([]byte, error) {
	if err := g.ctx.Err(); err != nil {
		return nil, err
	}
	if s, ok := g.arg.(string); ok {
		return []byte(s), nil
	}
	return fmt.Append(nil, g.arg), nil
}

// String is for the hooks of go-redis that print a command.
func (g guard) String() string { return fmt.Sprint(g.arg) }

// once is a command that go-redis sends at most once. By default it sends a
// command up to four times when replies get lost, and then a release that worked
// the first time is answered "not the owner". Redirections in a cluster are
// still followed: a node that redirects has done nothing.
type once struct {
	*redis.Cmd
}

func (once) NoRetry() bool { return true }
