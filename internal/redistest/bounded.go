package redistest

import "testing"

// CheckBounded walks the keyspace when the test and its subtests have ended, and
// fails if it finds a key that never expires, or no key at all.
func (s *Server) CheckBounded(tb testing.TB) {
	tb.Cleanup(func() {
		keys := s.Keys(tb)
		if len(keys) == 0 {
			tb.Errorf("no key at %s, where the test should have left some", s.Addr())
		}
		for key, ttl := range keys {
			if ttl < 0 {
				tb.Errorf("the key %q never expires", key)
			}
		}
	})
}
