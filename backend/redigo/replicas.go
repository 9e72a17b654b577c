package redigo

import (
	"context"
	"errors"

	"github.com/gomodule/redigo/redis"

	"github.com/dislock/dislock/internal/recipe"
)

var _ recipe.Replicator = (*driver)(nil)

func (d *driver) DoAndWait(ctx context.Context, args, wait []any) (reply, acknowledged any, err error) {
	got, err := d.send(ctx, args, wait)
	if err != nil {
		return nil, nil, err
	}
	replies, ok := got.([]any)
	if !ok || len(replies) != 2 {
		return nil, nil, errors.New("the connection does not return two replies to two commands")
	}
	for _, reply := range replies {
		if err, ok := reply.(redis.Error); ok {
			return nil, nil, err
		}
	}
	return replies[0], replies[1], nil
}

// both has conn send two commands at once. Without a command of its own, Do sends what
// there is and returns all replies, those that are errors like the others.
func both(conn redis.Conn, one, two []any) (any, error) {
	for _, args := range [][]any{one, two} {
		if err := conn.Send(args[0].(string), args[1:]...); err != nil {
			return nil, err
		}
	}
	return conn.Do("")
}
