package history

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// A story is a history in the making. All instants and lengths are in
// nanoseconds; who is a process, or a process and a hand: "a", "a/2".
type story []Record

const (
	ms     = int64(time.Millisecond)
	ttl    = 1000 * ms
	notice = 400 * ms
	slack  = 100 * ms
)

var rules = Rules{TTL: time.Duration(ttl), Notice: time.Duration(notice), Slack: time.Duration(slack)}

func tell(parts ...story) story { return slices.Concat(parts...) }

func say(at int64, what, who string, fence uint64) Record {
	process, hand, _ := strings.Cut(who, "/")
	r := Record{At: at, What: what, Process: process, Key: "k", Fence: fence}
	_, _ = fmt.Sscan(hand, &r.Hand)
	return r
}

// hold is a whole one, with a lease that is not renewed.
func hold(who string, fence uint64, asked, entered, left int64) story {
	return tell(open(who, fence, asked, entered), story{say(left, Left, who, fence)})
}

// open is a hold that goes on.
func open(who string, fence uint64, asked, entered int64) story {
	return tell(ask(who, asked), trust(who, fence, entered, entered+ttl), story{say(entered, Entered, who, fence)})
}

// passed is a hold with the lease of another hand.
func passed(who string, fence uint64, asked, entered, left int64) story {
	return tell(ask(who, asked), story{say(entered, Entered, who, fence), say(left, Left, who, fence)})
}

func ask(who string, at int64) story    { return story{say(at, Asked, who, 0)} }
func giveUp(who string, at int64) story { return story{say(at, GaveUp, who, 0)} }

func holds(who string, fence uint64, at int64) story { return story{say(at, Holds, who, fence)} }
func told(who string, fence uint64, at int64) story  { return story{say(at, Told, who, fence)} }

func trust(who string, fence uint64, at, until int64) story {
	r := say(at, Trust, who, fence)
	r.Until = until
	return story{r}
}

// fault hits a process, or with "" the store.
func fault(target string, at, lasts int64) story {
	return story{{At: at, What: Fault, Process: "tester", Target: target, For: lasts, Text: "hit " + target}}
}

// stopped is a fault during which the process does not run.
func stopped(target string, at, lasts int64) story {
	s := fault(target, at, lasts)
	s[0].Stops = true
	return s
}

func forgot(key string, at, lasts int64) story {
	return story{{At: at, What: Forgot, Process: "tester", Key: key, For: lasts}}
}

// of is the same story about another key.
func (s story) of(key string) story {
	s = slices.Clone(s)
	for i := range s {
		s[i].Key = key
	}
	return s
}

// broken returns the rules that a report says were broken, each once.
func (r Report) broken() []string {
	var names []string
	for _, v := range r.Violations {
		names = append(names, v.Rule)
	}
	slices.Sort(names)
	return slices.Compact(names)
}
