//go:build unix

package chaos

import (
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/dislock/dislock/internal/history"
)

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
// rests, they come when all kinds have been, and it goes on until that has happened once.
func (w *world) besiege(kinds []faultKind, lasts, every time.Duration, progress func(time.Duration)) {
	start := time.Now()
	var deck []faultKind
	rested := !w.rests
	for next := start; (time.Since(start) < lasts || !rested) && !w.Failed(); {
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
			rested = true
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
