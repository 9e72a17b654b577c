package main

import (
	"fmt"
	"strconv"
	"strings"
)

// A diagram is what its text says, still to be drawn.
type diagram struct {
	title, caption  string
	from, to, every float64
	unit            string
	ttl             float64
	lanes           []lane
	items           []item
}

type lane struct{ id, name string }

// An item is one thing in a diagram: what it is, the lanes and times it names, and its
// words.
type item struct {
	kind  string
	lanes []int // of diagram.lanes
	at    []float64
	left  []float64 // of a key, beside each of its times but the last
	text  string
}

// grammar is how many lanes and times each kind of item names, before its words.
var grammar = map[string]struct{ lanes, times int }{
	"wait": {1, 2}, "hold": {1, 2}, "away": {1, 2},
	"send": {2, 2}, "fail": {2, 2},
	"mark": {1, 1}, "note": {1, 1},
}

func parse(text string) (*diagram, error) {
	d := &diagram{}
	for n, line := range strings.Split(text, "\n") {
		fields := strings.Fields(line)
		if len(fields) == 0 || fields[0][0] == '#' {
			continue
		}
		if err := d.add(fields[0], fields[1:]); err != nil {
			return nil, fmt.Errorf("line %d: %w", n+1, err)
		}
	}
	if d.to <= d.from || d.every <= 0 || d.ttl <= 0 || len(d.lanes) == 0 {
		return nil, fmt.Errorf("a diagram needs a time, a ttl and lanes")
	}
	return d, nil
}

func (d *diagram) add(kind string, args []string) (err error) {
	words := strings.Join(args, " ")
	switch kind {
	case "title":
		d.title = words
	case "caption":
		d.caption = words
	case "time":
		if len(args) != 4 {
			return fmt.Errorf("a time is FROM TO EVERY UNIT, not %q", words)
		}
		d.unit = args[3]
		_, err = fmt.Sscan(words, &d.from, &d.to, &d.every)
	case "ttl":
		d.ttl, err = strconv.ParseFloat(words, 64)
	case "lane":
		if len(args) < 2 {
			return fmt.Errorf("a lane is a letter and a name, not %q", words)
		}
		d.lanes = append(d.lanes, lane{args[0], strings.Join(args[1:], " ")})
	case "key":
		return d.addKey(args)
	default:
		return d.addItem(kind, args)
	}
	return err
}

func (d *diagram) addItem(kind string, args []string) error {
	g, ok := grammar[kind]
	if !ok {
		return fmt.Errorf("there is no %q", kind)
	}
	if len(args) < g.lanes+g.times {
		return fmt.Errorf("a %s names %d lanes and %d times", kind, g.lanes, g.times)
	}
	it := item{kind: kind, text: strings.Join(args[g.lanes+g.times:], " ")}
	for _, id := range args[:g.lanes] {
		l, err := d.lane(id)
		if err != nil {
			return err
		}
		it.lanes = append(it.lanes, l)
	}
	for _, s := range args[g.lanes : g.lanes+g.times] {
		at, err := strconv.ParseFloat(s, 64)
		if err != nil {
			return err
		}
		it.at = append(it.at, at)
	}
	d.items = append(d.items, it)
	return nil
}

func (d *diagram) addKey(args []string) error {
	if len(args) < 3 {
		return fmt.Errorf("a key has an owner, a beginning and an end")
	}
	owner, err := d.lane(args[0])
	if err != nil {
		return err
	}
	it := item{kind: "key", lanes: []int{owner}}
	for i, s := range args[1:] {
		at, left, lasts := strings.Cut(s, "=")
		if lasts == (i == len(args)-2) {
			return fmt.Errorf("of a key all times but the last are AT=LEFT, not %q", s)
		}
		t, err := strconv.ParseFloat(at, 64)
		if err != nil {
			return err
		}
		it.at = append(it.at, t)
		if lasts {
			l, err := strconv.ParseFloat(left, 64)
			if err != nil {
				return err
			}
			it.left = append(it.left, l)
		}
	}
	d.items = append(d.items, it)
	return nil
}

// lane returns the place of the lane with the letter id.
func (d *diagram) lane(id string) (int, error) {
	for i, l := range d.lanes {
		if l.id == id {
			return i, nil
		}
	}
	return 0, fmt.Errorf("there is no lane %q", id)
}
