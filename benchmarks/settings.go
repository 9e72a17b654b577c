package main

import (
	"flag"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// settings are what the command line says.
type settings struct {
	plan    plan
	only    *regexp.Regexp
	measure []string
	out     string
	from    string
	pin     bool
}

func parse(args []string) (s settings, err error) {
	var names []string
	for _, m := range measurements {
		names = append(names, m.name)
	}
	f := flag.NewFlagSet("benchmarks", flag.ContinueOnError)
	isQuick := f.Bool("quick", false, "few and short rounds")
	only := f.String("only", "", "measure only contenders that this regular expression matches, as in dislock|redsync/redigo/5ms")
	measure := f.String("measure", strings.Join(names, ","), "what to measure, separated by commas")
	f.StringVar(&s.out, "out", "", "the directory to write to (results, or quick for a quick run)")
	f.StringVar(&s.from, "from", "", "measure nothing, and write the results of an earlier run's results.json anew")
	f.BoolVar(&s.pin, "pin", true, "give the server a processor of its own, where the system can do that")
	if err := f.Parse(args); err != nil {
		return s, err
	}
	if f.NArg() > 0 {
		return s, fmt.Errorf("unknown argument %q", f.Arg(0))
	}
	s.plan = full
	fallback := "results"
	if *isQuick {
		s.plan = quick
		fallback = quick.Name
	}
	if s.out == "" {
		s.out = fallback
	}
	for name := range strings.SplitSeq(*measure, ",") {
		if !slices.Contains(names, name) {
			return s, fmt.Errorf("-measure %s: there are %s", name, strings.Join(names, ", "))
		}
		s.measure = append(s.measure, name)
	}
	s.only, err = regexp.Compile(*only)
	return s, err
}
