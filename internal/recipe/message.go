package recipe

import (
	"strconv"
	"strings"
	"time"
)

// A message is what the server tells a waiter: the fence of the lease that it gave
// the token, and its own time when it did so, in microseconds.
type message struct {
	fence uint64
	at    int64
	token string
}

// parseMessage reads a message as handOver writes it.
func parseMessage(s string) (message, bool) {
	fence, s, ok1 := strings.Cut(s, " ")
	micros, token, ok2 := strings.Cut(s, " ")
	f, err1 := strconv.ParseUint(fence, 10, 64)
	at, err2 := strconv.ParseInt(micros, 10, 64)
	ok := ok1 && ok2 && err1 == nil && err2 == nil && 0 < f && f <= maxFence
	return message{fence: f, at: at, token: token}, ok
}

// began returns an instant of our clocks that is not later than the one at which
// the server granted the lease.
//
// An answer that the server gave at its time asked went out no earlier than sent,
// by our clocks. So the grant was made no earlier than the time that passed there
// between the two, after sent; less a hundredth of that, for a server whose clock
// runs faster than ours.
//
// That holds unless the server's clock was set in between. If it was set back the
// grant seems to precede the answer, and if it was set forward the grant may seem
// to lie in our future. Then the waiter has to ask.
func (m message) began(sent time.Time, asked int64, now time.Time) (time.Time, bool) {
	passed := time.Duration(m.at-asked) * time.Microsecond
	began := sent.Add(passed - passed/100)
	return began, passed >= 0 && !began.After(now)
}
