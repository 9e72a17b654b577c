package chaos

import (
	"errors"
	"fmt"

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

	// A write is offered by one who has been overtaken if a larger fence has entered.
	// That is counted apart from what is refused.
	writeScript = redis.NewScript(1, `
local last = redis.call('HGET', KEYS[1], 'fence')
if tonumber(ARGV[1]) < tonumber(last) then redis.call('HINCRBY', KEYS[1], 'offered', 1) end
if last ~= ARGV[1] then
  redis.call('HINCRBY', KEYS[1], 'refused', 1)
  return -1
end
redis.call('HSET', KEYS[1], 'number', ARGV[2])
return redis.call('HINCRBY', KEYS[1], 'writes', 1)`)
)

func numberKey(key string) string { return "number:" + key }

// Enter returns the number of key, and [ErrStale] if a larger fence has entered.
func (r *Resource) Enter(key string, fence uint64) (int, error) {
	return r.run(enterScript, numberKey(key), fence)
}

// Write sets the number of key, unless a larger fence has entered: [ErrStale].
func (r *Resource) Write(key string, fence uint64, number int) error {
	_, err := r.run(writeScript, numberKey(key), fence, number)
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

// Tally is what was written to a key.
type Tally struct {
	Writes  int // accepted
	Offered int // by one who had been overtaken
	Refused int // of these
}

// Tally returns what was written to key, and what is wrong with that: additions that
// were lost, or a write by one who had been overtaken.
func (r *Resource) Tally(key string) (Tally, error) {
	conn := r.pool.Get()
	defer conn.Close()
	n, err := redis.IntMap(conn.Do("HGETALL", numberKey(key)))
	if err != nil {
		return Tally{}, err
	}
	t := Tally{n["writes"], n["offered"], n["refused"]}
	switch {
	case n["number"] != t.Writes:
		err = fmt.Errorf("the number of %s is %d after %d additions", key, n["number"], t.Writes)
	case t.Offered != t.Refused:
		err = fmt.Errorf("of %d writes to %s by those who had been overtaken, %d were refused", t.Offered, key, t.Refused)
	}
	return t, err
}
