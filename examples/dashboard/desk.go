package main

import (
	"context"
	"time"

	"github.com/dislock/dislock"
	"github.com/dislock/dislock/backend/faulty"
)

// A desk is where the reports of one key are made, and where one thing goes wrong. It
// costs what it would cost in earnest; only the cause is staged.
type desk struct {
	key    string
	faults *faulty.Backend
	stuck  chan struct{} // who takes from it holds its lock for too long
	wrong  func(context.Context, *desk)
}

func (s *stage) desks() []*desk {
	at := func(key string, wrong func(context.Context, *desk)) *desk {
		return &desk{key: key, faults: faulty.New(s.store), stuck: make(chan struct{}, 1), wrong: wrong}
	}
	return []*desk{
		// An operator with a redis-cli, or an eviction: a loss, not_owner.
		at("reports:sales", func(_ context.Context, d *desk) { s.delete(d.key) }),

		// Not one renewal arrives, for longer than a lease lasts: a loss, deadline.
		at("reports:stock", during(2*reportTTL, faulty.ExpireIfOwner, faulty.LoseRequest)),

		// A holder that hangs: a loss, max_hold, and the other one gives up.
		at("reports:staff", func(_ context.Context, d *desk) { d.getStuck() }),

		// Nobody knows the outcome of a release.
		at("reports:tax", during(reportTakes, faulty.DeleteIfOwner, faulty.LoseReply)),

		// Nobody can acquire: waits, and who gives up, that are due to the store and not
		// to a holder.
		at("reports:costs", during(2*reportPatience, faulty.SetNX, faulty.LoseRequest)),
	}
}

func (s *stage) delete(key string) {
	conn := s.pool.Get()
	defer conn.Close()
	_, _ = conn.Do("DEL", "dislock:{"+key+"}")
}

// goWrong has it go wrong every so often, until ctx ends.
func (d *desk) goWrong(ctx context.Context, every time.Duration) {
	for sleep(ctx, about(every)) {
		d.wrong(ctx, d)
	}
}

// during returns what puts a fault in the way of op for a while.
func during(while time.Duration, op faulty.Op, fault faulty.Fault) func(context.Context, *desk) {
	return func(ctx context.Context, d *desk) {
		d.faults.All(op, fault)
		sleep(ctx, while)
		d.faults.All(op, nil)
	}
}

func (d *desk) getStuck() {
	select {
	case d.stuck <- struct{}{}:
	default: // the last time is not over
	}
}

// report is work that takes long enough to be renewed, and that ends when the lock is
// lost; unless it is stuck, and does not look. Who does not get the lock for a while
// gives up, and comes again: the wait has a bound, and the work has not.
func (d *desk) report(ctx context.Context, mu *dislock.Mutex) {
	for ctx.Err() == nil {
		waiting, cancel := context.WithTimeout(ctx, reportPatience)
		lease, err := mu.LockContext(waiting)
		cancel()
		if err == nil {
			_ = lease.Do(ctx, func(held context.Context) error {
				select {
				case <-d.stuck:
					sleep(ctx, reportLimit+reportTTL/2)
				default:
					sleep(held, about(reportTakes))
				}
				return nil
			})
		}
		sleep(ctx, about(reportTakes/2))
	}
}
