//go:build unix

package chaos

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/gomodule/redigo/redis"

	"github.com/dislock/dislock/internal/recipe"
)

// A faultKind is something that can happen, to a process or to the server.
type faultKind struct {
	name   string
	victim victim
	most   time.Duration                         // that it lasts, if that can be chosen
	run    func(s *slot, d time.Duration) error  // of a process
	serve  func(w *world, d time.Duration) error // of the server
	stops  bool                                  // the process does not run
	wipes  bool                                  // the server forgets: all, unless
	key    func(w *world) string                 // says what, before it is done
}

type victim int

const (
	holder victim = iota
	waiter
	anybody // a holder half of the time
)

// faultKinds are all of them.
var faultKinds = []faultKind{
	{name: "kill a holder", victim: holder, run: (*slot).kill},
	{name: "kill a waiter", victim: waiter, run: (*slot).kill},
	{name: "freeze a holder", victim: holder, most: 5 * ttl / 2, run: (*slot).freeze, stops: true},
	{name: "freeze a waiter", victim: waiter, most: 5 * ttl / 2, run: (*slot).freeze, stops: true},
	{name: "delay replies", victim: anybody, most: ttl, run: (*slot).delay},
	{name: "cut connections", victim: anybody, most: ttl / 3, run: (*slot).cut},
	{name: "swallow everything", victim: holder, most: 2 * ttl, run: (*slot).blackhole},
	{name: "swallow a reply", victim: anybody, run: (*slot).loseReply},
	{name: "swallow a request", victim: anybody, run: (*slot).loseRequest},
	{name: "stop the server", most: 2 * ttl, serve: (*world).stopServer},
	{name: "restart with data", most: ttl / 2, serve: (*world).restart},
	{name: "restart without data", most: ttl / 2, serve: (*world).restartEmpty, wipes: true},
	{name: "forget scripts", serve: (*world).forgetScripts},
	{name: "kill clients", serve: (*world).killClients},
	{name: "evict", serve: (*world).evict, wipes: true},
	{name: "delete a key", key: (*world).anyKey, wipes: true},
}

func kindsNamed(names ...string) (kinds []faultKind) {
	for _, k := range faultKinds {
		if slices.Contains(names, k.name) {
			kinds = append(kinds, k)
		}
	}
	return kinds
}

func (s *slot) kill(time.Duration) error {
	s.proc.Kill()
	return s.start()
}

func (s *slot) freeze(d time.Duration) error {
	frozen, err := s.proc.Freeze()
	if frozen {
		time.Sleep(d)
		s.proc.Thaw()
	}
	return err
}

func (s *slot) delay(d time.Duration) error {
	s.armed(func() { s.proxy.Delay("", d, 3) })
	time.Sleep(d)
	return nil
}

// delayTheLast delays the last reply that comes for a while.
func (s *slot) delayTheLast(time.Duration) error {
	const d = claim / 5 // and less than the bound of a renewal
	s.armed(func() { s.proxy.Delay("evalsha", d, 1) })
	time.Sleep(d)
	return s.blackhole(2 * ttl)
}

func (s *slot) loseReply(time.Duration) error {
	s.armed(func() { s.proxy.LoseReply("evalsha", 2) })
	return nil
}

// loseReplyToRelease swallows the reply to a release.
func (s *slot) loseReplyToRelease(time.Duration) error {
	_, release := recipe.Requests(recipe.DefaultPrefix, "key", "token", ttl)
	s.armed(func() { s.proxy.LoseReply(release[1].(string), 1) })
	return nil
}

func (s *slot) loseRequest(time.Duration) error {
	s.armed(func() { s.proxy.LoseRequest("evalsha", 2) })
	return nil
}

// armed waits for a while until what arm arms has struck.
func (s *slot) armed(arm func()) {
	arm()
	for end := time.Now().Add(ttl / 2); s.proxy.Armed() > 0 && time.Now().Before(end); {
		time.Sleep(time.Millisecond)
	}
	s.proxy.Disarm()
}

// cut closes all connections again and again, as a bad cable does.
func (s *slot) cut(d time.Duration) error {
	for end := time.Now().Add(d); ; time.Sleep(5 * time.Millisecond) {
		s.proxy.CutAll()
		if time.Now().After(end) {
			return nil
		}
	}
}

func (s *slot) blackhole(d time.Duration) error {
	s.proxy.Blackhole()
	time.Sleep(d)
	s.proxy.Heal()
	return nil
}

func (w *world) stopServer(d time.Duration) error {
	w.server.Pause()
	time.Sleep(d)
	w.server.Resume()
	return nil
}

func (w *world) restart(d time.Duration) error {
	w.server.Kill()
	time.Sleep(d)
	w.server.Restart(w)
	return nil
}

func (w *world) restartEmpty(d time.Duration) error {
	dir, err := redis.Strings(w.admin("CONFIG", "GET", "dir"))
	if err != nil {
		return err
	}
	w.server.Kill()
	if err := os.RemoveAll(filepath.Join(dir[1], "appendonlydir")); err != nil {
		return err
	}
	time.Sleep(max(d, 10*time.Millisecond)) // for which the fence needs the outage to last
	w.server.Restart(w)
	return nil
}

func (w *world) forgetScripts(time.Duration) error {
	_, err := w.admin("SCRIPT", "FLUSH")
	return err
}

func (w *world) killClients(time.Duration) error {
	if _, err := w.admin("CLIENT", "KILL", "TYPE", "pubsub"); err != nil {
		return err
	}
	if w.draw.IntN(2) == 0 {
		return nil
	}
	_, err := w.admin("CLIENT", "KILL", "TYPE", "normal")
	return err
}

// evict makes the memory run short, until no key is left that could be evicted.
func (w *world) evict(time.Duration) error {
	c, err := redis.Dial("tcp", w.server.Addr())
	if err != nil {
		return err
	}
	defer c.Close()
	for _, set := range [][]any{{"maxmemory-policy", "allkeys-random"}, {"maxmemory", "1"}} {
		if _, err := c.Do("CONFIG", append([]any{"SET"}, set...)...); err != nil {
			return err
		}
	}
	if _, err := c.Do("SET", "filler", "x", "PX", "1000"); err == nil {
		return fmt.Errorf("a server without memory writes")
	}
	_, err = c.Do("CONFIG", "SET", "maxmemory", "0")
	return err
}

func (w *world) anyKey() string { return w.names[w.draw.IntN(len(w.names))] }

func (w *world) deleteKey(key string) error {
	_, err := w.admin("DEL", "dislock:{"+key+"}")
	return err
}
