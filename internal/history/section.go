package history

import "fmt"

// A lease is what the store gave to a process. The process may have passed it on
// from hand to hand.
type lease struct {
	process string
	fence   uint64
	asked   int64 // the first hand to have it asked then, so it was granted after that
	held    bool  // a hand has had it
	from    int64 // and entered then, so it was granted before that
	to      int64 // until when somebody believed in it
	until   int64 // until when it might be trusted, by what has been read so far
	known   bool  // that the store has granted it
}

// A section is one hold of one hand.
type section struct {
	*lease
	hand       int
	from, to   int64 // the belief
	left       bool  // it was unlocked
	told       bool
	distrusted bool // accused of believing too long
}

func (s *section) String() string {
	return fmt.Sprintf("%s/%d with fence %d", s.process, s.hand, s.fence)
}

// A usage is what the hands did with one key.
type usage struct {
	key      string
	sections []*section // by from
	leases   []*lease
	waits    map[string][]span // by process: from Asked to Entered or GaveUp, or to its last word
	present  map[string][]span // by process: when it may have had to do with the key
}
