// Command guides runs what the documentation says: every command line, every Go
// block, as a reader would who copies one after the other.
//
//	go run ./internal/guides                 # README.md and docs/guides
//	go run ./internal/guides docs/guides/testing.md
//
// A block of sh is run by sh. One of Go whose first line is "// main.go" becomes that
// file, in the folder in which the commands before it have left the reader; a program
// without a name is main.go. A fragment becomes the body of a test, among variables
// that it may take for granted (see fragment.go), and is run. A block without a
// language behind one of sh shows its output: each of its lines has to be there, in this
// order, with the same words, and numbers where there are numbers. A command line in the
// text is run, too.
//
// A guide begins in an empty folder, README.md in that of the repository. Each document
// has a Redis of its own, which is what it gets when it says localhost:6379, the one
// thing that is changed in what it says. The module is taken from this tree.
//
// Two comments are heeded in front of a block:
//
//	<!-- in a new module -->         it begins in a folder with an empty module
//	<!-- not run: it takes a day --> it is not run, and counted
//
// and, for a command line in the text, anywhere before it:
//
//	<!-- not run: `make day`: it takes a day -->
//
// The exit code is 1 if something is not as written, 2 if nothing could be tried.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"
)

// fragmentDir is where the packages of fragments are, in the folder of all.
const fragmentDir = "fragments"

func main() {
	jobs := flag.Int("jobs", 2, "how many documents are read at a time")
	verbose := flag.Bool("v", false, "show what is run, and its output")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	failed, err := run(ctx, flag.Args(), max(1, *jobs), *verbose)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "guides:", err)
		os.Exit(2)
	}
	if failed {
		os.Exit(1)
	}
}

func run(ctx context.Context, paths []string, jobs int, verbose bool) (failed bool, err error) {
	root, err := moduleRoot()
	if err != nil {
		return false, err
	}
	if len(paths) == 0 {
		if paths, err = filepath.Glob(filepath.Join(root, "docs/guides/*.md")); err != nil {
			return false, err
		}
		paths = append([]string{filepath.Join(root, "README.md")}, paths...)
	}
	shop, err := newWorkshop(root, verbose)
	if err != nil {
		return false, err
	}
	defer shop.close()

	results := make([]result, len(paths))
	var all sync.WaitGroup
	turn := make(chan struct{}, jobs)
	for i, path := range paths {
		all.Go(func() {
			turn <- struct{}{}
			defer func() { <-turn }()
			results[i] = shop.try(ctx, path)
			fmt.Println(results[i].line())
		})
	}
	all.Wait()
	summarize(results)
	return slices.ContainsFunc(results, func(r result) bool { return r.err != nil }), nil
}

// summarize says what was not run, and what went wrong.
func summarize(results []result) {
	var notRun []string
	for _, r := range results {
		notRun = append(notRun, r.notRun...)
	}
	if len(notRun) > 0 {
		fmt.Printf("\nnot run, %d:\n  %s\n", len(notRun), strings.Join(notRun, "\n  "))
	}
	for _, r := range results {
		if r.err != nil {
			fmt.Printf("\n%v\n", r.err)
		}
	}
}

// result is what came of one document.
type result struct {
	name   string
	counts map[string]int
	notRun []string
	took   time.Duration
	err    error
}

func (r *result) line() string {
	state := "ok  "
	if r.err != nil {
		state = "FAIL"
	}
	var did []string
	for _, what := range []string{"command", "program", "fragment", "output"} {
		if n := r.counts[what]; n > 0 {
			did = append(did, fmt.Sprintf("%d %ss", n, what))
		}
	}
	return fmt.Sprintf("%s %-34s %5.1fs  %s", state, r.name, r.took.Seconds(), strings.Join(did, ", "))
}

// moduleRoot returns the folder of go.mod at or above the current one.
func moduleRoot() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir, nil
		}
		if parent := filepath.Dir(dir); parent != dir {
			dir = parent
			continue
		}
		return "", fmt.Errorf("no go.mod at or above the current folder")
	}
}
