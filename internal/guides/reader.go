package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/dislock/dislock/internal/redistest"
)

// A reader does what a document says, one block after the other.
type reader struct {
	*workshop
	home    string // of all that the reader makes
	cwd     string
	bin     string // commands that stand in front of those of the machine
	addr    string
	port    string
	modules int
	idle    *block // a program that no command has run yet
}

func (w *workshop) newReader(path string, server *redistest.Server) (*reader, error) {
	home, err := os.MkdirTemp(w.dir, strings.TrimSuffix(filepath.Base(path), ".md")+"-")
	if err != nil {
		return nil, err
	}
	r := &reader{workshop: w, home: home, cwd: filepath.Join(home, "empty"), bin: filepath.Join(home, "bin"),
		addr: server.Addr(), port: strconv.Itoa(server.Port())}
	for _, dir := range []string{r.cwd, r.bin} {
		if err := os.Mkdir(dir, 0o755); err != nil {
			return nil, err
		}
	}
	if filepath.Base(path) == "README.md" && filepath.Base(filepath.Dir(path)) != "guides" {
		r.cwd = w.root
	}
	return r, r.shadow()
}

// shadow puts commands in front of those of the machine: a go whose new modules take
// dislock from this tree, a redis-cli that asks the document's own server, and a dislock
// that is built when it is first called.
//
// Nobody may be asked for dislock, which is not published, nor for modules of which its
// path could be a part; what it needs is in the cache, because this program needs it.
func (r *reader) shadow() error {
	for name, script := range map[string]string{
		"go": `
case "$1 ${2-}" in
"get github.com/dislock/dislock"*) export GOPROXY="file://$(%[1]s env GOMODCACHE)/cache/download" ;;
esac
%[1]s "$@" || exit
if [ "$1 ${2-}" = 'mod init' ]; then %[1]s mod edit -replace=github.com/dislock/dislock='` + r.root + `'; fi
`,
		"dislock": `
here="$(dirname "$0")"
[ -x "$here/built" ] || %s build -C '` + r.root + `' -o "$here/built" ./cmd/dislock || exit
exec "$here/built" "$@"
`,
		"redis-cli": "exec %s -p " + r.port + " \"$@\"\n", // readers are told no other port
	} {
		behind := name
		if name == "dislock" {
			behind = "go"
		}
		path, err := exec.LookPath(behind)
		if err != nil {
			return err
		}
		script = "#!/bin/sh\n" + fmt.Sprintf(script, path)
		if err := os.WriteFile(filepath.Join(r.bin, name), []byte(script), 0o755); err != nil { //nolint:gosec // to be run
			return err
		}
	}
	return nil
}

// read goes through the blocks; what went wrong in one ends it, for what follows
// builds on it. Fragments stand by themselves, and are tried together at the end.
func (r *reader) read(ctx context.Context, blocks []block, res *result) error {
	var fragments []block
	for _, b := range blocks {
		if b.notRun != "" {
			res.notRun = append(res.notRun, fmt.Sprintf("%s:%d: %s: %s", res.name, b.line, b.name(), b.notRun))
			continue
		}
		var err error
		switch {
		case b.language == "go" && b.file == "":
			fragments = append(fragments, b)
			res.counts["fragment"]++
		case b.language == "go":
			if err := r.runIdle(ctx); err != nil {
				return err
			}
			res.counts["program"]++
			err = r.program(b)
		default:
			res.counts["command"]++
			if b.output != nil {
				res.counts["output"]++
			}
			err = r.command(ctx, b)
		}
		if err != nil {
			return fmt.Errorf("line %d: %w", b.line, err)
		}
	}
	return errors.Join(r.runIdle(ctx), r.fragments(ctx, fragments))
}

// program writes a file where the commands before have led.
func (r *reader) program(b block) error {
	if r.cwd == r.root {
		return fmt.Errorf("a program needs a folder of its own, as after <!-- in a new module -->")
	}
	path := filepath.Join(r.cwd, b.file)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	if strings.HasPrefix(b.text, "package main\n") { // without a name: nobody is told how to run it
		r.idle = &b
	}
	return os.WriteFile(path, []byte(r.here(b.text)), 0o644)
}

// runIdle runs a program that the document shows and leaves to the reader.
func (r *reader) runIdle(ctx context.Context) error {
	if r.idle == nil {
		return nil
	}
	b := *r.idle
	r.idle = nil
	b.text, b.language = "go run .\n", "sh"
	if err := r.command(ctx, b); err != nil {
		return fmt.Errorf("line %d: %w", b.line, err)
	}
	return nil
}

// here is text as it has to be to find the document's own server.
func (r *reader) here(text string) string { return strings.ReplaceAll(text, "localhost:6379", r.addr) }
