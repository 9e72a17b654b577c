package recipe

import (
	"context"
	"crypto/rand"
	"log/slog"
	"sync"
	"time"

	"github.com/dislock/dislock/backend"
)

// settled is after how long no question of one who has left is under way any more.
const settled = 500 * time.Millisecond

// forgetAfter is when a waiter that has left, and of which the server may not know,
// is given up: by then the server has forgotten the line.
const forgetAfter = 10 * time.Minute

// A listener hears, on one connection, what the server tells those who wait through
// one backend. It listens while somebody waits, and for a while beyond.
//
// Its only lasting goroutine, run, lives that long. It ends by itself, or by close,
// which waits for it, and for those that confirm a grant.
type listener struct {
	recipe *Recipe
	id     string
	log    *slog.Logger

	mu      sync.Mutex
	state   state
	closed  bool
	warned  bool               // of being deaf
	lost    time.Time          // when the last good connection broke
	idle    time.Time          // since when nobody waits; zero while somebody does
	waiters map[string]*waiter // by token
	waiting int                // of these, who has not left
	sweepAt int                // how many there may be before those who left long ago are forgotten
	life    context.Context    // of run, and of what it begins
	stop    context.CancelFunc // ends life
	ended   chan struct{}      // closed when run has ended; nil while there is none

	confirming sync.WaitGroup // grants that replicas may not have yet; none begins once closed
}

// state is whether the server can tell us something.
type state int8

const (
	silent    state = iota // nobody has had to wait, or not for long
	dialling               // for the first time
	listening              // also while it comes back after a connection was lost
	deaf                   // it can not be done at the moment: waiters poll
)

func newListener(r *Recipe, log *slog.Logger) *listener {
	return &listener{recipe: r, id: rand.Text(), log: log, waiters: make(map[string]*waiter)}
}

// enter notes that token is about to ask, so that a grant finds it, and returns
// how it is to stand in line, and how it may be standing there from before if
// that differs. It returns false if there is no line to stand in at the moment.
func (l *listener) enter(key, token string, claim int64, told chan<- backend.Grant) (stands, before string, ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	var id string
	switch {
	case l.closed: // like one that is deaf
	case l.state == silent || l.state == dialling:
		return "", "", false
	case l.state == listening:
		id = l.id
	}
	w := l.note(token, told)
	w.asks, w.key, w.claim = true, key, claim
	stands = standing(id, claim, token)
	if w.stands != stands {
		w.before, w.stands = w.stands, stands
	}
	return stands, w.before, true
}

// listen begins to listen for token, which has to wait, if that has not begun yet.
func (l *listener) listen(token string, told chan<- backend.Grant) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return
	}
	l.note(token, told)
	switch l.state {
	case silent:
		ctx, stop := context.WithCancel(context.Background())
		l.state, l.life, l.stop, l.ended = dialling, ctx, stop, make(chan struct{})
		go l.run(ctx, l.ended)
	case listening, deaf: // it has come about since the question was asked
		backend.Tell(told, backend.Grant{})
	}
}

// note returns the waiter of token, a new one if there is none. l.mu is held.
func (l *listener) note(token string, told chan<- backend.Grant) *waiter {
	w := l.waiters[token]
	if w == nil {
		if len(l.waiters) >= l.sweepAt {
			l.sweep()
		}
		w = new(waiter)
		l.waiters[token] = w
	}
	if w.told == nil {
		l.waiting++
		l.idle = time.Time{}
	}
	w.told = told
	return w
}

// sweep forgets those who left long ago. l.mu is held.
func (l *listener) sweep() {
	for token, w := range l.waiters {
		if w.told == nil && time.Since(w.left) > forgetAfter {
			delete(l.waiters, token)
		}
	}
	l.sweepAt = max(64, 2*len(l.waiters)) // a constant time for each, on average
}

// refused notes the answer that token has to wait, to a question that left at sent.
func (l *listener) refused(token string, sent time.Time, asked int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	w := l.waiters[token]
	if w == nil {
		return
	}
	w.asks, w.before, w.unsure = false, "", false
	w.answered, w.sent, w.asked = true, sent, asked
	if m := w.early; m != nil && w.told != nil {
		w.early = nil
		l.grant(w, *m)
	}
}

// leave notes that token does not wait any more, and returns how it may stand in
// line, at most two ways: none for one that has never waited, like any holder's.
func (l *listener) leave(token string) (stands []any) {
	l.mu.Lock()
	defer l.mu.Unlock()
	w := l.waiters[token]
	if w == nil {
		return nil
	}
	if w.told != nil {
		w.told, w.left = nil, time.Now()
		l.gone()
	}
	stands = append(stands, w.stands)
	if w.before != "" {
		stands = append(stands, w.before)
	}
	return stands
}

// unanswered notes that a question of token got no answer.
func (l *listener) unanswered(token string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if w := l.waiters[token]; w != nil {
		w.asks, w.unsure = false, true
	}
}

// left notes the answer to the leaving of token. If a question was still under way
// it may arrive after that one, and the token stand in line again: the mutex leaves
// once more, and again after a while.
func (l *listener) left(token string) {
	l.mu.Lock()
	w := l.waiters[token]
	again := w != nil && w.unsure && time.Since(w.left) < settled
	l.mu.Unlock()
	if !again {
		l.forget(token)
	}
}

// forget forgets token, which does not stand in line any more.
func (l *listener) forget(token string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	w := l.waiters[token]
	if w == nil {
		return
	}
	delete(l.waiters, token)
	if w.told != nil {
		l.gone()
	}
}

// gone counts one who waits less. l.mu is held.
func (l *listener) gone() {
	l.waiting--
	if l.waiting == 0 {
		l.idle = time.Now()
	}
}

// hear tells the waiter that is meant of its grant. A grant for a token that does
// not wait is nothing to act upon: it may hold the lock because it asked, and if
// it has left, its leaving gives the lock to the next.
func (l *listener) hear(m message) {
	l.mu.Lock()
	defer l.mu.Unlock()
	w := l.waiters[m.token]
	switch {
	case w == nil || w.told == nil:
	case !w.answered:
		w.early = &m
	default:
		l.grant(w, m)
	}
}

// tellAll has everybody who waits ask again. l.mu is held.
func (l *listener) tellAll() {
	for _, w := range l.waiters {
		if w.told != nil {
			backend.Tell(w.told, backend.Grant{})
		}
	}
}

func (l *listener) close() {
	l.mu.Lock()
	l.closed = true
	ended := l.ended
	if ended != nil {
		l.stop()
	}
	l.mu.Unlock()
	if ended != nil {
		<-ended
	}
	l.confirming.Wait()
}
