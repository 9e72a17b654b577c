package redistest

import (
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/gomodule/redigo/redis"
)

// adminTimeout bounds each admin command, so that one to a paused server fails
// the test and does not hang it.
const adminTimeout = 10 * time.Second

// Do runs one command on a connection of its own, database 0, and returns the
// reply as redigo gives it: []byte for a bulk string, string for a status, int64
// for a number, []any for an array, nil for nothing. An error fails the test.
func (s *Server) Do(tb testing.TB, cmd string, args ...any) any {
	tb.Helper()
	reply, err := s.do(cmd, args...)
	if err != nil {
		tb.Fatalf("%s at %s: %v", cmd, s.Addr(), err)
	}
	return reply
}

func (s *Server) do(cmd string, args ...any) (any, error) {
	c, err := s.dial()
	if err != nil {
		return nil, err
	}
	defer c.Close()
	return c.Do(cmd, args...)
}

func (s *Server) dial() (redis.Conn, error) {
	return redis.Dial("tcp", s.Addr(), redis.DialConnectTimeout(adminTimeout),
		redis.DialReadTimeout(adminTimeout), redis.DialWriteTimeout(adminTimeout))
}

// Flush deletes every key.
func (s *Server) Flush(tb testing.TB) {
	tb.Helper()
	s.Do(tb, "FLUSHALL")
}

// Keys returns every key of database 0 with the time until it expires, which is
// negative for a key that never does. A key that is created or deleted during
// the call may be there or not.
func (s *Server) Keys(tb testing.TB) map[string]time.Duration {
	tb.Helper()
	keys, err := s.keys()
	if err != nil {
		tb.Fatalf("keys at %s: %v", s.Addr(), err)
	}
	return keys
}

func (s *Server) keys() (map[string]time.Duration, error) {
	c, err := s.dial()
	if err != nil {
		return nil, err
	}
	defer c.Close()
	keys := make(map[string]time.Duration)
	for cursor := "0"; ; {
		page, err := redis.Values(c.Do("SCAN", cursor, "COUNT", 1000))
		if err != nil {
			return nil, err
		}
		var names []string
		if _, err := redis.Scan(page, &cursor, &names); err != nil {
			return nil, err
		}
		for _, name := range names {
			ms, err := redis.Int64(c.Do("PTTL", name))
			if err != nil {
				return nil, err
			}
			switch ms {
			case -2: // gone since the SCAN
			case -1:
				keys[name] = -1
			default:
				keys[name] = time.Duration(ms) * time.Millisecond
			}
		}
		if cursor == "0" {
			return keys, nil
		}
	}
}

// CommandStats returns how often each command ran since [Server.ResetStats], by
// its name in small letters, a subcommand as "config|get". What a script calls
// is counted too, and so are the commands of this package's own methods.
func (s *Server) CommandStats(tb testing.TB) map[string]int64 {
	tb.Helper()
	stats, err := s.commandStats()
	if err != nil {
		tb.Fatalf("command statistics of %s: %v", s.Addr(), err)
	}
	return stats
}

func (s *Server) commandStats() (map[string]int64, error) {
	info, err := redis.String(s.do("INFO", "commandstats"))
	if err != nil {
		return nil, err
	}
	stats := make(map[string]int64)
	for line := range strings.Lines(info) {
		name, rest, ok := strings.Cut(strings.TrimPrefix(line, "cmdstat_"), ":calls=")
		if !ok {
			continue
		}
		calls, _, _ := strings.Cut(rest, ",")
		n, err := strconv.ParseInt(calls, 10, 64)
		if err != nil {
			return nil, fmt.Errorf("line %q: %w", line, err)
		}
		stats[name] = n
	}
	return stats, nil
}

// ResetStats makes [Server.CommandStats] count from 0.
func (s *Server) ResetStats(tb testing.TB) {
	tb.Helper()
	s.Do(tb, "CONFIG", "RESETSTAT")
}
