package topology

import (
	"strings"
	"time"

	"github.com/gomodule/redigo/redis"

	"github.com/dislock/dislock/internal/redistest"
)

// tidy checks that soon after the end of the crew no lock is left and nobody in
// line, and that there is no key that never expires, on any of the servers.
func (c *crew) tidy(servers ...*redistest.Server) {
	c.Helper()
	for end := time.Now().Add(ttl + generous); ; time.Sleep(20 * time.Millisecond) {
		var left []string
		fences := 0
		for _, s := range servers {
			for name, expires := range c.keysAt(s) {
				switch {
				case expires < 0:
					c.Errorf("%s never expires at %s", name, s.Addr())
				case strings.HasSuffix(name, ":fence"):
					fences++
				default:
					left = append(left, name+" at "+s.Addr())
				}
			}
		}
		if len(left) == 0 {
			if fences == 0 {
				c.Errorf("no server has a fence")
			}
			return
		}
		if time.Now().After(end) {
			c.Fatalf("%v are left behind", left)
		}
	}
}

// keysAt returns the keys of s, as [redistest.Server.Keys] does, also if it is a replica
// in a cluster.
func (c *crew) keysAt(s *redistest.Server) map[string]time.Duration {
	c.Helper()
	conn, err := redis.Dial("tcp", s.Addr(), redis.DialReadTimeout(generous))
	if err != nil {
		c.Fatal(err)
	}
	defer conn.Close()
	_, _ = conn.Do("READONLY") // refused where there is no cluster
	names, err := redis.Strings(conn.Do("KEYS", "*"))
	if err != nil {
		c.Fatal(err)
	}
	keys := make(map[string]time.Duration)
	for _, name := range names {
		ms, err := redis.Int64(conn.Do("PTTL", name))
		if err != nil {
			c.Fatal(err)
		}
		if ms != -2 { // or it is gone by now
			keys[name] = time.Duration(ms) * time.Millisecond
		}
	}
	return keys
}
