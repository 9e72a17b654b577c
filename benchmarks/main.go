// The program benchmarks measures dislock and its peers side by side, on a Redis
// server that it starts itself.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strconv"
	"syscall"
)

func main() {
	if code, assumed := assume(); assumed {
		os.Exit(code)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	defer stop()
	if err := run(ctx, os.Args[1:]); err != nil {
		if ctx.Err() != nil {
			err = errors.New("interrupted, nothing is written")
		}
		if !errors.Is(err, flag.ErrHelp) {
			fmt.Fprintln(os.Stderr, "benchmarks:", err)
		}
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) error {
	s, err := parse(args)
	if err != nil {
		return err
	}
	rep := &report{}
	if s.from != "" {
		b, err := os.ReadFile(s.from)
		if err != nil {
			return err
		}
		if err := json.Unmarshal(b, rep); err != nil {
			return err
		}
	} else if err := measure(ctx, s, rep); err != nil {
		return err
	}
	p := newPrinter(os.Stdout)
	targets := examine(rep)
	p.report(rep)
	p.targets(targets)
	return write(s.out, rep, targets)
}

func measure(ctx context.Context, s settings, rep *report) error {
	cpu, placement, err := place(s.pin)
	if err != nil {
		return err
	}
	srv, err := startServer(cpu)
	if err != nil {
		return err
	}
	defer srv.close()
	b := &bench{plan: s.plan, only: s.only, server: srv, progress: newProgress(os.Stderr)}
	defer b.progress.clear()
	for _, m := range measurements {
		if !slices.Contains(s.measure, m.name) {
			continue
		}
		if err := m.run(b, ctx, rep); err != nil {
			return fmt.Errorf("%s: %w", m.name, err)
		}
	}
	rep.Machine = describe(srv, s.plan, placement)
	return nil
}

// place keeps this process and its workers off the processor that is to be the
// server's, and says which one that is.
func place(wanted bool) (cpu, placement string, err error) {
	server, others, ok := split()
	if !wanted || !ok {
		return anywhere, "on any core", nil
	}
	if err := pin(others); err != nil {
		return "", "", err
	}
	return strconv.Itoa(server), "on a core of its own", nil
}

// write writes all forms of the report into dir.
func write(dir string, rep *report, targets []target) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	raw, err := json.MarshalIndent(rep, "", "\t")
	if err != nil {
		return err
	}
	drawn := charts(rep)
	files := map[string]string{
		"results.json": string(raw) + "\n",
		"results.md":   markdown(rep, targets, drawn),
	}
	for _, c := range drawn {
		files[c.file] = c.chart.svg()
	}
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			return err
		}
	}
	fmt.Printf("\nWritten to %s: results.md, results.json and %d charts.\n", dir, len(drawn))
	return nil
}
