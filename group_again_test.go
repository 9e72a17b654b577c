package dislock_test

import (
	"context"
	"errors"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"github.com/dislock/dislock"
	"github.com/dislock/dislock/backend/faulty"
)

// TestTwoCloses holds that both wait, also while the first is still telling the holders.
func TestTwoCloses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := dislock.NewGroup()
		f := newFixture(dislock.WithGroup(g), dislock.WithHooks(dislock.Hooks{
			Lost: func(dislock.LostInfo) { time.Sleep(time.Second) },
		}))
		f.Lock()
		go mustClose(t, g)
		synctest.Wait()
		mustClose(t, g)
		f.unlocked(t)
		time.Sleep(time.Minute)
	})
}

// TestUnlockAfterClose holds that an Unlock does not ask for what Close has given back:
// the client may be closed by then.
func TestUnlockAfterClose(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := dislock.NewGroup()
		f := newFixture(dislock.WithGroup(g))
		lease := mustLock(t, f.Mutex)
		mustClose(t, g)
		asked := f.faults.Calls(faulty.DeleteIfOwner)
		if err := lease.Unlock(background); !errors.Is(err, dislock.ErrClosed) {
			t.Errorf("Unlock: %v, want ErrClosed", err)
		}
		time.Sleep(time.Minute)
		if n := f.faults.Calls(faulty.DeleteIfOwner) - asked; n != 0 {
			t.Errorf("%d requests after Close", n)
		}
	})
}

// TestCloseCrossesAdopt holds that a lease whose adoption a Close cut short is given
// back: its giver has let go.
func TestCloseCrossesAdopt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := dislock.NewGroup()
		f := newFixture()
		given := mustLock(t, f.Mutex)
		mustDetach(t, given)
		f.faults.Next(faulty.ExpireIfOwner, faulty.DelayReply(time.Second))
		there := dislock.New(f.faults, key, quiet, dislock.WithGroup(g))
		go func() {
			if _, err := there.Adopt(background, given.Token(), given.Fence()); !errors.Is(err, dislock.ErrClosed) {
				t.Errorf("Adopt: %v, want ErrClosed", err)
			}
		}()
		synctest.Wait()
		mustClose(t, g)
		f.unlocked(t)
		time.Sleep(time.Minute)
	})
}

// TestDetachOfWhatIsLost holds that a lease that is lost is not prolonged.
func TestDetachOfWhatIsLost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(dislock.WithMaxHold(5 * time.Second))
		lease := mustLock(t, f.Mutex)
		time.Sleep(29 * time.Second)
		if err := lease.Detach(background); !errors.Is(err, dislock.ErrLost) {
			t.Errorf("Detach: %v, want ErrLost", err)
		}
		time.Sleep(2 * time.Second) // a ttl and a second after the acquisition
		f.unlocked(t)
	})
}

// TestLockAllWhoseCtxEndsWhileItStartsOver holds that its error is that of ctx.
func TestLockAllWhoseCtxEndsWhileItStartsOver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSeveral(dislock.WithMaxHold(time.Second))
		s.rival("c").Lock()
		ctx, cancel := context.WithTimeout(background, 1500*time.Millisecond)
		defer cancel()
		s.faults.All(faulty.DeleteIfOwner, faulty.DelayReply(time.Second))
		if _, err := dislock.LockAll(ctx, s.a, s.b, s.c); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("LockAll: %v, want DeadlineExceeded", err)
		}
		time.Sleep(time.Minute)
	})
}

// TestLockAllWhoseDriverPanics holds that what it had is given back.
func TestLockAllWhoseDriverPanics(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSeveral()
		s.faults.Next(faulty.SetNX, nil, func(context.Context, func(context.Context) error) error { panic("driver") })
		func() {
			defer func() { _ = recover() }()
			_, _ = dislock.LockAll(background, s.a, s.b)
		}()
		time.Sleep(2 * time.Minute)
		s.free(t, "abc")
	})
}

type slowHandler struct{ slog.Handler }

func (slowHandler) Enabled(context.Context, slog.Level) bool { return true }

func (slowHandler) Handle(context.Context, slog.Record) error {
	time.Sleep(time.Millisecond)
	return nil
}

// The holder heeds its ctx and unlocks while Close is still telling the loss: what was
// lost is not passed on, and the loss is not hidden from whoever called Do.
func TestWhatCloseTookIsNotPassedOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		group, said := dislock.NewGroup(), new(tellTale)
		f := newFixture(dislock.WithGroup(group), dislock.WithPassing(time.Hour), dislock.WithHooks(said.hooks()),
			dislock.WithLogger(slog.New(slowHandler{})))
		done := make(chan error, 1)
		go func() {
			done <- f.Do(background, func(ctx context.Context) error { <-ctx.Done(); return nil })
		}()
		synctest.Wait()
		next := make(chan error, 1)
		go func() {
			time.Sleep(time.Second) // waits when the other has been told, and Close has not got as far as its ctx
			_, err := f.LockContext(background)
			next <- err
		}()
		synctest.Wait()
		time.Sleep(2 * time.Second)
		if err := group.Close(background); err != nil {
			t.Error(err)
		}
		if err := <-done; !errors.Is(err, dislock.ErrLost) || !errors.Is(err, dislock.ErrClosed) {
			t.Errorf("Do: %v, want ErrLost because of ErrClosed", err)
		}
		if err := <-next; !errors.Is(err, dislock.ErrClosed) {
			t.Errorf("LockContext: %v, want ErrClosed", err)
		}
		said.want(t, "acquired, waited false", "waiting", "gave up after 1s", "lost")
	})
}
