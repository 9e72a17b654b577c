package history

import (
	"fmt"
	"slices"
)

// A worker is a process of a [model].
type worker struct {
	*model
	name        string
	frozen, cut int64 // until when
	hands       [2]*worksHand
	gate        [2]*worksHand // who holds or contends for a key, of all hands
	back        []*token      // to be given back
}

// A worksHand is a hand of a worker.
type worksHand struct {
	number  int
	doing   doing
	key     int
	token   *token
	until   int64 // when it stops waiting, or leaves
	poll    int64 // when it asks again
	granted bool  // and is about to look
}

type doing int

const (
	resting doing = iota
	waiting
	holding
)

// work is what the worker does in an instant in which it runs.
func (w *worker) work() {
	w.back = slices.DeleteFunc(w.back, func(t *token) bool { return w.end(w, t) })
	for _, h := range w.hands {
		switch h.doing {
		case resting:
			if w.IntN(10) == 0 {
				*h = worksHand{number: h.number, doing: waiting, key: w.IntN(2), until: w.now + 50*ms + w.upTo(3*ttl)}
				w.say(h, Asked)
			}
		case waiting:
			w.wait(h)
		case holding:
			w.hold(h)
		}
	}
}

func (w *worker) wait(h *worksHand) {
	if w.gate[h.key] == nil {
		w.gate[h.key], h.token = h, &token{key: h.key}
	}
	contends := w.gate[h.key] == h
	switch {
	case h.granted:
		if h.granted = w.next() < h.token.deadline; h.granted {
			h.doing, h.until = holding, w.now+w.upTo(60*ms)
			if w.IntN(20) == 0 {
				h.until += 3 * ttl
			}
			w.say(h, Entered)
		}
	case w.now >= h.until:
		w.say(h, GaveUp)
		if contends {
			w.back = append(w.back, h.token)
			w.rest(h)
		}
		h.doing = resting
	case contends && w.now >= h.poll:
		h.granted = w.grant(w, h.token)
		h.poll = w.now + 5*ms + w.upTo(30*ms)
	}
}

func (w *worker) hold(h *worksHand) {
	t, at := h.token, w.next()
	grace := map[string]int64{trustsLong: 100 * ms, tellsLate: 2*slack + margin}[w.flaw]
	if w.flaw == losesAny && w.IntN(1000) == 0 {
		t.lost = true
	}
	switch {
	case t.lost || at >= t.deadline+grace:
		w.say(h, Told)
		w.back = append(w.back, t)
		w.rest(h)
	case at >= t.deadline && w.flaw == tellsLate:
	case w.now >= h.until:
		w.say(h, Left)
		w.unlock(h)
	default:
		if w.now >= t.due {
			w.renew(w, t)
		} else if w.IntN(10) == 0 {
			w.say(h, Holds)
		}
	}
}

// unlock passes the lease on, or gives it back.
func (w *worker) unlock(h *worksHand) {
	for _, next := range w.hands {
		if next.doing == waiting && next.key == h.key && w.IntN(2) == 0 {
			next.token, next.granted, w.gate[h.key] = h.token, true, next
			h.doing = resting
			return
		}
	}
	switch lost := h.token.lost; {
	case !w.end(w, h.token):
		w.back = append(w.back, h.token)
	case h.token.lost && !lost:
		w.say(h, Told)
	}
	w.rest(h)
}

func (w *worker) rest(h *worksHand) { h.doing, w.gate[h.key] = resting, nil }

// trust notes what the store has granted until a while after it was sent.
func (w *worker) trust(t *token, sent, lasts int64) {
	t.deadline, t.due = sent+lasts-margin, sent+lasts/3
	w.story = append(w.story, Record{At: w.next(), What: Trust, Process: w.name, Key: fmt.Sprint(t.key), Fence: t.fence, Until: sent + lasts})
}

func (w *worker) say(h *worksHand, what string) {
	r := Record{At: w.now, What: what, Process: w.name, Hand: h.number, Key: fmt.Sprint(h.key)}
	if what != Asked && what != GaveUp {
		r.Fence = h.token.fence
	}
	w.story = append(w.story, r)
}
