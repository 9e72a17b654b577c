package crossing

import (
	"testing"
	"time"
)

// TestOutageWhileTheyWait holds that whatever happens to the server while some stand
// in line, all of them are served afterwards, and nothing stays behind.
func TestOutageWhileTheyWait(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		happens func(s *scene)
		within  time.Duration // after it is over
		holds   bool          // the holder keeps the lock
	}{
		// The holder's key is gone: whoever asks has it.
		"FLUSHALL": {func(s *scene) { s.do("FLUSHALL") }, 4*250*time.Millisecond + soon, false},
		"restart": {func(s *scene) {
			s.server.Restart(s)
			if err := s.again(); err != nil {
				s.Fatal(err)
			}
		}, 4*250*time.Millisecond + claim + soon, false},
		"killed for a while": {func(s *scene) {
			s.server.Kill()
			time.Sleep(time.Second)
			s.server.Restart(s)
			if err := s.again(); err != nil {
				s.Fatal(err)
			}
		}, 4*250*time.Millisecond + claim + soon, false},
		"the line is deleted": {func(s *scene) { s.do("DEL", lineKey) }, 4*250*time.Millisecond + soon, true},
		"SCRIPT FLUSH":        {func(s *scene) { s.do("SCRIPT", "FLUSH") }, soon, true},
		"DEBUG SLEEP":         {func(s *scene) { s.do("DEBUG", "SLEEP", "1") }, 4*250*time.Millisecond + soon, true},
		"paused": {func(s *scene) {
			s.server.Pause()
			time.Sleep(time.Second)
			s.server.Resume()
		}, 4*250*time.Millisecond + soon, true},
	} {
		t.Run(name, func(t *testing.T) {
			eachDriver(t, func(s *scene, open func(testing.TB, *network) line) {
				ctx := bounded(s)
				b1, b2 := open(s, newNetwork(s.server.Addr())), open(s, newNetwork(s.server.Addr()))
				holder := s.mutex(open(s, newNetwork(s.server.Addr())))
				lease, err := holder.LockContext(ctx)
				if err != nil {
					s.Fatal(err)
				}
				q := s.queue(ctx, b1, b2, b1, b2)
				time.Sleep(150 * time.Millisecond)
				tt.happens(s)
				start := time.Now()
				if err := lease.Unlock(ctx); err != nil && tt.holds {
					s.Errorf("Unlock: %v", err)
				}
				q.within(tt.within, start, false)
				if err := s.hold(ctx, holder, 0); err != nil {
					s.Error(err)
				}
				s.empty()
			})
		})
	}
}
