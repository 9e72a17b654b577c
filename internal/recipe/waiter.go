package recipe

import (
	"time"

	"github.com/dislock/dislock/backend"
)

// A waiter is a token that waits, or has left and may still stand in line.
type waiter struct {
	told   chan<- backend.Grant // nil when it has left
	left   time.Time
	key    string // what it waits for, from when it may stand in line
	claim  int64  // in milliseconds, likewise
	stands string // how it may stand in line; "" if it has not been there
	before string // how it may stand there as well, until a question that says so is answered
	asks   bool   // a question is under way
	unsure bool   // a question got no answer, and may still be under way

	answered bool      // there has been an answer, of which:
	sent     time.Time // when the question left
	asked    int64     // when the server answered, by its clock
	early    *message  // a grant that overtook the first answer
}

// grant tells w of the grant in m, now or when replicas have it if that is wanted; or,
// if there is doubt about when it was made, or nobody to confirm it, that it should
// ask. l.mu is held.
func (l *listener) grant(w *waiter, m message) {
	began, ok := m.began(w.sent, w.asked, time.Now())
	switch {
	case !ok || l.recipe.replicas != nil && l.closed:
		backend.Tell(w.told, backend.Grant{})
	case l.recipe.replicas != nil:
		life := l.life
		l.confirming.Go(func() { l.confirm(life, w, m, began) })
	default:
		l.tell(w, m, began)
	}
}

// tell tells w, who does not wait any more then, of the grant in m. l.mu is held.
func (l *listener) tell(w *waiter, m message, began time.Time) {
	backend.Tell(w.told, backend.Grant{Fence: m.fence, Began: began})
	if w.asks || w.unsure {
		// It may line up after all that, and has to be found there when it leaves.
		w.told, w.left = nil, time.Now()
	} else {
		delete(l.waiters, m.token)
	}
	l.gone()
}
