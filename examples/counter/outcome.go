package main

import (
	"fmt"
	"time"
)

// An outcome is how a phase went.
type outcome struct {
	locked  bool
	took    time.Duration
	state   state // as it was at the end
	history *history
	pids    []int // of the processes, by worker; 0 before the start
	running int   // how many of them there are
	failure error // of the last worker that failed
}

func newOutcome(locked bool, workers int) *outcome {
	return &outcome{locked: locked, history: newHistory(workers), pids: make([]int, workers+1)}
}

func phaseName(locked bool) string {
	if locked {
		return "with the lock"
	}
	return "without the lock"
}

// take notes an event and returns what of it is worth a line of its own.
func (o *outcome) take(e event) []string {
	var news []string
	moved := o.history.add(e)
	switch e.What {
	case started:
		o.pids[e.Worker] = e.PID
		o.running++
		if o.locked && o.running == len(o.pids)-1 {
			news = invitation(o.pids[1:])
		}
	case troubled:
		news = append(news, fmt.Sprintf("%s: %s", label(e.Worker), e.Text))
	case failed:
		o.failure = fmt.Errorf("%s failed: %s", label(e.Worker), e.Text)
		news = append(news, o.failure.Error())
	case killed:
		line := label(e.Worker) + " was killed"
		if o.locked && o.history.lanes[e.Worker].diedInside {
			line += " while it held the lock"
		}
		news = append(news, line)
	}
	if o.locked {
		for _, m := range moved {
			line := "the next to hold it was %s, %v later"
			if o.history.lanes[m.from].diedInside {
				line = "the lock moved on to %s after %v"
			}
			news = append(news, fmt.Sprintf(line, label(m.to), m.after.Round(time.Millisecond)))
		}
	}
	return news
}

// invitation says whom to kill: the processes in the order of the workers.
func invitation(pids []int) []string {
	lines := []string{"kill -9 any of"}
	for _, pid := range pids {
		word := fmt.Sprintf(" %d", pid)
		if last := len(lines) - 1; len(lines[last])+len(word) <= columns-2 {
			lines[last] += word
		} else {
			lines = append(lines, "              "+word)
		}
	}
	return lines
}

// summary is the line that remains of a phase.
func (o *outcome) summary(s *screen) string {
	added := o.state.added()
	lost := added - o.state.number
	verdict, style := fmt.Sprintf("%d lost", lost), bad
	switch {
	case lost == 0 && o.locked:
		verdict, style = "none lost", good
	case lost == 0:
		verdict, style = "by luck", plain
	}
	inside := "one at a time"
	if peak := o.history.peak(); peak > 1 {
		inside = fmt.Sprintf("up to %d at once", peak)
	}
	return fmt.Sprintf("  %-16s  %3d added   number %3d   %s   %-15s  %s",
		phaseName(o.locked), added, o.state.number, s.paint(style, fmt.Sprintf("%-9s", verdict)), inside, seconds(o.took))
}

// verdict is an error if the phase proves anything but what it should: a worker
// failed, or the lock did not do its work. Workers that were killed prove nothing
// wrong, as long as the number is right.
func (o *outcome) verdict(count int) error {
	if o.locked && o.state.number != o.state.added() {
		return fmt.Errorf("WITH THE LOCK THE NUMBER IS %d AND SHOULD BE %d", o.state.number, o.state.added())
	}
	if o.failure != nil {
		return o.failure
	}
	for worker, l := range o.history.lanes {
		if n := o.state.tallies[worker]; worker > 0 && l.died.IsZero() && n != count {
			return fmt.Errorf("%s has added 1 only %d times of %d", label(worker), n, count)
		}
	}
	return nil
}

func seconds(d time.Duration) string { return fmt.Sprintf("%.1fs", d.Seconds()) }
