package chaos

import (
	"errors"
	"fmt"
	"slices"
	"strconv"

	"github.com/gomodule/redigo/redis"
)

// ErrStale is the resource's no to one whose fence is smaller than another that it
// has seen.
var ErrStale = errors.New("the fence is stale")

// A Resource is what the locks guard: a number for each key, on a server that nothing
// happens to. Who enters it reads the number, pauses, and writes one more: if two do
// that at once, additions are lost. It checks fences, so that this must not happen
// even when two hold the lock.
type Resource struct{ pool *redis.Pool }

// NewResource returns the resource on the server at addr. Close ends its connections.
func NewResource(addr string) *Resource {
	return &Resource{&redis.Pool{MaxIdle: 4, Dial: func() (redis.Conn, error) { return redis.Dial("tcp", addr) }}}
}

// Close ends the idle connections.
func (r *Resource) Close() { r.pool.Close() }

var (
	enterScript = redis.NewScript(1, `
if tonumber(ARGV[1]) < tonumber(redis.call('HGET', KEYS[1], 'fence') or '0') then return -1 end
redis.call('HSET', KEYS[1], 'fence', ARGV[1])
return tonumber(redis.call('HGET', KEYS[1], 'number') or '0')`)

	writeScript = redis.NewScript(2, `
if redis.call('HGET', KEYS[1], 'fence') ~= ARGV[1] then return -1 end
redis.call('HSET', KEYS[1], 'number', ARGV[2])
redis.call('RPUSH', KEYS[2], ARGV[1])
return redis.call('HINCRBY', KEYS[1], 'writes', 1)`)
)

func numberKey(key string) string   { return "number:" + key }
func acceptedKey(key string) string { return "accepted:" + key }

// Enter returns the number of key, and [ErrStale] if a larger fence has entered.
func (r *Resource) Enter(key string, fence uint64) (int, error) {
	return r.run(enterScript, numberKey(key), fence)
}

// Write sets the number of key, unless a larger fence has entered: [ErrStale].
func (r *Resource) Write(key string, fence uint64, number int) error {
	_, err := r.run(writeScript, numberKey(key), acceptedKey(key), fence, number)
	return err
}

func (r *Resource) run(s *redis.Script, args ...any) (int, error) {
	conn := r.pool.Get()
	defer conn.Close()
	n, err := redis.Int(s.Do(conn, args...))
	if err == nil && n < 0 {
		err = ErrStale
	}
	return n, err
}

// Check says what is wrong with what was written to key: additions that were lost,
// or a fence that was accepted after a larger one.
func (r *Resource) Check(key string) (writes int, err error) {
	conn := r.pool.Get()
	defer conn.Close()
	state, err := redis.Strings(conn.Do("HMGET", numberKey(key), "number", "writes"))
	if err != nil {
		return 0, err
	}
	if state[0] != state[1] {
		return 0, fmt.Errorf("the number of %s is %s after %s additions", key, state[0], state[1])
	}
	accepted, err := redis.Uint64s(conn.Do("LRANGE", acceptedKey(key), 0, -1))
	if err != nil {
		return 0, err
	}
	if !slices.IsSorted(accepted) {
		return 0, fmt.Errorf("the resource of %s accepted a fence after a larger one", key)
	}
	writes, _ = strconv.Atoi(state[1])
	return writes, nil
}
