package redistest

import (
	"fmt"
	"testing"
	"time"
)

func TestKeys(t *testing.T) {
	t.Parallel()
	s := Start(t)
	const bounded = 2500 // more than one page
	for i := range bounded / 100 {
		s.Do(t, "EVAL", `for i = 0, 99 do redis.call('SET', ARGV[1] .. i, '', 'PX', 60000) end`, 0, fmt.Sprintf("b%d.", i))
	}
	s.Do(t, "SET", "for ever\x00\xff", "")
	keys := s.Keys(t)
	if len(keys) != bounded+1 {
		t.Errorf("%d keys, want %d", len(keys), bounded+1)
	}
	for name, ttl := range keys {
		if name == "for ever\x00\xff" {
			if ttl >= 0 {
				t.Errorf("%q has ttl %v, want a negative one", name, ttl)
			}
		} else if ttl <= 0 || ttl > time.Minute {
			t.Errorf("%q has ttl %v, want up to a minute", name, ttl)
		}
	}
	s.Flush(t)
	if keys := s.Keys(t); len(keys) != 0 {
		t.Errorf("%d keys after Flush", len(keys))
	}
}

func TestCommandStats(t *testing.T) {
	t.Parallel()
	s := Start(t)
	s.Do(t, "GET", "k")
	s.ResetStats(t)
	for range 3 {
		s.Do(t, "EVAL", "return redis.call('INCR', KEYS[1])", 1, "k")
	}
	stats := s.CommandStats(t)
	if stats["eval"] != 3 || stats["incr"] != 3 || stats["get"] != 0 || stats["config|resetstat"] != 1 {
		t.Errorf("statistics %v, want 3 eval, 3 incr, no get, 1 config|resetstat", stats)
	}
}
