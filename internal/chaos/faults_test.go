//go:build unix

package chaos

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/gomodule/redigo/redis"

	"github.com/dislock/dislock/internal/history"
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

// strike does k, and notes it. It reports whether there was somebody to do it to.
func (w *world) strike(k faultKind) (bool, error) {
	var d time.Duration
	switch {
	case w.worst:
		d = k.most
	case k.most > 0:
		d = time.Duration(w.draw.Int64N(int64(k.most)))
	}
	switch {
	case k.key != nil:
		key := k.key(w)
		return true, w.noted(k, "", key, func() error { return w.deleteKey(key) })
	case k.serve != nil:
		return true, w.noted(k, "", "", func() error { return k.serve(w, d) })
	}
	s := w.pick(k.victim)
	if s == nil {
		return false, nil
	}
	go func() {
		err := w.noted(k, s.name, "", func() error { return k.run(s, d) })
		w.mu.Lock()
		defer w.mu.Unlock()
		s.hit = false
		if err != nil {
			w.Errorf("%s: %v", k.name, err)
		}
	}()
	return true, nil
}

// pick returns a slot that nothing happens to at the moment, and holds it for what
// will; nil if there is none.
func (w *world) pick(v victim) *slot {
	holds := w.holder()
	if v == anybody && holds != nil && w.aim.IntN(2) == 0 {
		v = holder
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	free := slices.DeleteFunc(slices.Clone(w.slots), func(s *slot) bool {
		return s.hit || v == holder && s != holds || v == waiter && s == holds
	})
	hit := 0
	for _, s := range w.slots {
		if s.hit {
			hit++
		}
	}
	if len(free) == 0 || 2*hit >= len(w.slots) { // half of them are always well
		return nil
	}
	s := free[w.aim.IntN(len(free))]
	s.hit = true
	return s
}

// noted does k, and notes when that was. What the server forgets is noted as that and
// not as a fault as well, which would excuse for longer those who do not notice it.
func (w *world) noted(k faultKind, target, key string, do func() error) error {
	w.mu.Lock()
	w.faults[k.name]++
	w.mu.Unlock()
	r := history.Record{What: history.Fault, At: history.Now(), Target: target, Key: key, Stops: k.stops, Text: k.name}
	if k.wipes {
		r.What = history.Forgot
	}
	err := do()
	r.For = history.Now() - r.At
	if err := w.log.Add(r); err != nil {
		return err
	}
	return err
}

// besiege draws faults until end, each kind once before any comes again. If the plan has
// rests, they come when all kinds have been.
func (w *world) besiege(kinds []faultKind, lasts, every time.Duration, progress func(time.Duration)) {
	start := time.Now()
	var deck []faultKind
	for next := start; time.Since(start) < lasts && !w.Failed(); {
		if len(deck) == 0 {
			deck = slices.Clone(kinds)
			w.draw.Shuffle(len(deck), func(i, j int) { deck[i], deck[j] = deck[j], deck[i] })
		}
		k := deck[0]
		deck = deck[1:]
		switch struck, err := w.strike(k); {
		case err != nil:
			w.Fatalf("%s: %v", k.name, err)
		case !struck:
			deck = append(deck, k)
		}
		time.Sleep(time.Duration(w.draw.Int64N(int64(every))))
		if w.rests && len(deck) == 0 {
			w.rest()
		}
		if time.Now().After(next) {
			progress(time.Since(start))
			next = next.Add(5 * time.Second)
			for _, s := range w.slots {
				s.proxy.ResetLog()
			}
		}
	}
	w.calm()
}

// calm waits until nothing happens to anybody.
func (w *world) calm() {
	for busy := true; busy; time.Sleep(10 * time.Millisecond) {
		w.mu.Lock()
		busy = slices.ContainsFunc(w.slots, func(s *slot) bool { return s.hit })
		w.mu.Unlock()
	}
}

// patience is within which everybody has to be served when the faults are over: what is
// left of a lease whose holder died, the claims of those who did not hear of theirs, and
// the sections of those before it, some of which are long.
const patience = 6 * ttl

// rest does nothing to anybody until all have been served again. While faults come one
// after the other, each of them explains for a while that nobody is; now nothing does.
func (w *world) rest() {
	w.calm()
	start := time.Now()
	if names := w.unserved(patience); len(names) > 0 {
		w.Errorf("%q are not served within %v without a fault", names, patience)
	}
	w.recovery = max(w.recovery, time.Since(start))
}

// unserved waits until every hand of every process has had a lock, and returns who has
// not within d.
func (w *world) unserved(d time.Duration) []string {
	start := time.Now()
	names := w.starving(start)
	for ; len(names) > 0 && time.Since(start) < d; names = w.starving(start) {
		time.Sleep(5 * time.Millisecond)
	}
	return names
}

// faultsByKind is for the last line.
func (w *world) faultsByKind() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	var texts []string
	for _, name := range slices.Sorted(maps.Keys(w.faults)) {
		texts = append(texts, name+" "+strconv.Itoa(w.faults[name]))
	}
	return strings.Join(texts, ", ")
}
