package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/dislock/dislock/internal/redistest"
)

// A workshop is the temporary folder in which documents are tried.
type workshop struct {
	root     string // of the repository
	dir      string
	verbose  bool
	patience time.Duration // for how long a block may run
}

func newWorkshop(root string, verbose bool) (*workshop, error) {
	dir, err := os.MkdirTemp("", "guides-")
	return &workshop{root, dir, verbose, 90 * time.Second}, err
}

func (w *workshop) close() { _ = os.RemoveAll(w.dir) }

// try does what the document at path says.
func (w *workshop) try(ctx context.Context, path string) (r result) {
	began := time.Now()
	r.name, r.counts = path, map[string]int{}
	if rel, err := filepath.Rel(w.root, path); err == nil && !strings.HasPrefix(rel, "..") {
		r.name = rel
	}
	defer func() {
		r.took = time.Since(began)
		if r.err != nil {
			r.err = fmt.Errorf("%s: %w", r.name, r.err)
		}
	}()
	text, err := os.ReadFile(path)
	if err != nil {
		r.err = err
		return r
	}
	blocks, err := parse(string(text))
	if err != nil {
		r.err = err
		return r
	}
	server, err := redistest.StartProcess()
	if err != nil {
		r.err = err
		return r
	}
	defer server.Close()
	reader, err := w.newReader(path, server)
	if err != nil {
		r.err = err
		return r
	}
	r.err = reader.read(ctx, blocks, &r)
	return r
}
