package redistest

import "testing"

// Kill ends the process as a power cut would, paused or not, and returns when it
// is gone. A server that is killed already stays so.
func (s *Server) Kill() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.proc == nil {
		return
	}
	s.proc.kill()
	s.proc, s.paused = nil, false
}

// Restart starts the server again, killing it first if it runs. It has the same
// address and directory and no data, unless arguments to [Start] made it persist
// some. A node of a cluster remembers its identity and its slots; see
// [Cluster.WaitReady].
func (s *Server) Restart(tb testing.TB) {
	tb.Helper()
	s.Kill()
	if err := s.start(); err != nil {
		tb.Fatalf("restart %s: %v", s.Addr(), err)
	}
}

// Pause makes the process stand still and returns when it does. The kernel goes
// on accepting connections and requests for it; nobody answers until
// [Server.Resume]. It panics if there is no process to pause.
func (s *Server) Pause() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.proc == nil {
		panic("redistest: Pause of a server that is killed")
	}
	if s.paused {
		return
	}
	if err := suspend(s.proc.cmd.Process); err != nil {
		panic("redistest: Pause: " + err.Error())
	}
	s.paused = true
}

// Resume lets a paused process go on. It does nothing if the server is not
// paused, so that a test can defer it.
func (s *Server) Resume() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.paused {
		return
	}
	if err := proceed(s.proc.cmd.Process); err != nil {
		panic("redistest: Resume: " + err.Error())
	}
	s.paused = false
}
