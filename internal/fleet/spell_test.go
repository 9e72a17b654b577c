//go:build unix

package fleet

import (
	"cmp"
	"context"
	"errors"
	"math"
	"slices"
	"testing"
	"time"

	"github.com/dislock/dislock"
	"github.com/dislock/dislock/internal/history"
)

// A spell is the time in which one process believed to hold the lock. Its instants are
// on the monotonic clock that all processes of a machine share.
type spell struct {
	Who   string
	Fence uint64
	From  int64 // Err was nil after that instant, for the first time
	To    int64 // and for the last time
	Lost  bool  // it was told so; otherwise it unlocked
}

// shortest is how long a spell is at least, unless it is lost: the store takes its
// clock for the next fence only if the last one is older than 10 ms.
const shortest = 20 * time.Millisecond

// believe asks without a pause, other than pause, whether lease is held, until it is
// not, ctx ends or it has lasted for hold, and unlocks it.
func believe(ctx context.Context, lease *dislock.Lease, hold time.Duration, pause func()) spell {
	s := spell{Fence: lease.Fence()}
	for {
		// The instant comes first: what is true after it was true at it.
		at := history.Now()
		if lease.Err() != nil {
			break
		}
		if s.From == 0 {
			s.From = at
		}
		s.To = at
		if held := time.Duration(at - s.From); held > hold || held > shortest && ctx.Err() != nil {
			break
		}
		pause()
	}
	s.Lost = errors.Is(lease.Err(), dislock.ErrLost)
	if err := lease.Unlock(context.Background()); errors.Is(err, dislock.ErrLost) {
		s.Lost = true
	}
	return s
}

// apart checks that no spell lasted until the store had given the lock to the next
// one, which the fence says to the microsecond, or until that one believed it.
func apart(t *testing.T, spells []spell) {
	t.Helper()
	ahead := wallAhead()
	slices.SortFunc(spells, func(a, b spell) int { return cmp.Compare(a.Fence, b.Fence) })
	for i, next := range spells {
		granted := int64(next.Fence)*1000 - ahead
		if next.From != 0 && granted > next.From {
			t.Errorf("%s believes %v before the fence says that it has the lock", next.Who, time.Duration(granted-next.From))
		}
		if i == 0 {
			continue
		}
		if s := spells[i-1]; s.To > granted || next.From != 0 && s.To >= next.From {
			t.Errorf("%s believes to hold the lock %v after it was given to %s, who has believed it for %v",
				s.Who, time.Duration(s.To-granted), next.Who, time.Duration(s.To-next.From))
		}
	}
}

// wallAhead returns by how much the wall clock is ahead of the monotonic one.
func wallAhead() int64 {
	best, ahead := int64(math.MaxInt64), int64(0)
	for range 100 {
		before := history.Now()
		wall := time.Now().UnixNano()
		if took := history.Now() - before; took < best {
			best, ahead = took, wall-before-took/2
		}
	}
	return ahead
}
