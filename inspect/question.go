package inspect

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strconv"
	"time"

	"github.com/redis/go-redis/v9"
)

// A question is the commands that read the state of one key. They belong into one
// transaction, or the lease may change in between. A script would do in one command
// what they do in five, but who may run a script may run any.
type question []*redis.Cmd

// ask has pipe send the question.
func ask(ctx context.Context, pipe redis.Pipeliner, n names) question {
	return question{
		pipe.Do(ctx, "get", n.lock),
		pipe.Do(ctx, "pttl", n.lock),
		pipe.Do(ctx, "get", n.counter),
		pipe.Do(ctx, "pttl", n.counter),
		pipe.Do(ctx, "zcard", n.line),
	}
}

// replies returns the answers, nil for nothing, or an error; sent is what became of the
// whole, which go-redis does not always tell of each command. If one command is why the
// transaction was aborted the error is that of this one, which says why.
func (q question) replies(sent error) (replies []any, err error) {
	for _, cmd := range q {
		failed := cmd.Err()
		if errors.Is(failed, redis.Nil) {
			failed = nil
		}
		if err == nil || failed != nil && redis.HasErrorPrefix(err, aborted) {
			err = failed
		}
		replies = append(replies, cmd.Val())
	}
	if err == nil && !errors.Is(sent, redis.Nil) {
		err = sent
	}
	if err != nil {
		return nil, err
	}
	return replies, nil
}

// aborted begins the answer to a transaction that was given up.
const aborted = "EXECABORT"

// isAnswer reports whether err is what the server said, rather than why it said nothing.
func isAnswer(err error) bool { return redis.HasErrorPrefix(err, "") }

// decode reads the answers to a question. What it does not understand may be a
// token, and stays out of the error.
func decode(replies []any) (state, error) {
	for _, reply := range replies {
		if err, ok := reply.(error); ok {
			return state{}, err
		}
	}
	if len(replies) != 5 {
		return state{}, fmt.Errorf("redis: unexpected reply, an array of %d", len(replies))
	}
	token, ok0 := text(replies[0])
	ttl, ok1 := replies[1].(int64)
	counter, ok2 := text(replies[2])
	life, ok3 := replies[3].(int64)
	waiting, ok4 := replies[4].(int64)
	if !ok0 || !ok1 || !ok2 || !ok3 || !ok4 {
		return state{}, errors.New("redis: unexpected reply: its parts are not of the types that they have in Redis")
	}
	return state{
		token: token, ttl: milliseconds(ttl), held: replies[0] != nil && ttl != noKey,
		counter: counter, life: milliseconds(life), waiting: int(waiting),
	}, nil
}

// noKey is what PTTL says of a key that has ended since it was read.
const noKey = -2

// text takes nothing for the empty one.
func text(reply any) (string, bool) {
	s, ok := reply.(string)
	return s, ok || reply == nil
}

// milliseconds returns what PTTL says, and -1 where it says that there is no end or
// one in some hundred years.
func milliseconds(ms int64) time.Duration {
	if ms < 0 || ms > math.MaxInt64/int64(time.Millisecond) {
		return -1
	}
	return time.Duration(ms) * time.Millisecond
}

// fenceOf reads a counter. What others wrote there is no fence.
func fenceOf(counter string) (uint64, bool) {
	fence, err := strconv.ParseUint(counter, 10, 64)
	return fence, err == nil && 0 < fence && fence <= maxFence
}
