package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// command has sh run b, and compares what it prints with what the document shows.
// A reader's shell is still where it was in the next block.
func (r *reader) command(ctx context.Context, b block) error {
	if b.newModule {
		if err := r.newModule(ctx); err != nil {
			return err
		}
	}
	if !b.inline {
		r.idle = nil
	}
	where := filepath.Join(r.home, "pwd")
	script := "set -eu\n" + r.here(b.text)
	if !b.inline {
		script += "\npwd >'" + where + "'\n"
	}
	output, err := r.sh(ctx, script)
	if err != nil {
		return fmt.Errorf("%s: %w\n%s", b.name(), err, indent(output))
	}
	if !b.inline {
		pwd, err := os.ReadFile(where)
		if err != nil {
			return err
		}
		r.cwd = strings.TrimSuffix(string(pwd), "\n")
	}
	if b.output != nil {
		if err := sameShape(*b.output, output); err != nil {
			return fmt.Errorf("%s: the output is not what is shown: %w\n%s", b.name(), err, indent(output))
		}
	}
	return nil
}

// newModule goes to a folder with an empty module.
func (r *reader) newModule(ctx context.Context) error {
	r.modules++
	r.cwd = filepath.Join(r.home, fmt.Sprintf("module%d", r.modules))
	if err := os.Mkdir(r.cwd, 0o755); err != nil {
		return err
	}
	output, err := r.sh(ctx, "go mod init example.com/reader")
	if err != nil {
		return fmt.Errorf("%w\n%s", err, indent(output))
	}
	return nil
}

// sh runs a script and returns all that it prints. What it has left in the background
// ends with it.
func (r *reader) sh(ctx context.Context, script string) (string, error) {
	out, err := os.CreateTemp(r.home, "output-") // a file: one who lives on in the background can not hold it open
	if err != nil {
		return "", err
	}
	defer out.Close() //nolint:errcheck // it has been read

	ctx, cancel := context.WithTimeoutCause(ctx, r.patience, fmt.Errorf("it has not ended after %v", r.patience))
	defer cancel()
	cmd := exec.CommandContext(ctx, "sh", "-c", script)
	cmd.Dir, cmd.Stdout, cmd.Stderr = r.cwd, out, out
	cmd.Env = append(os.Environ(), "PATH="+r.bin+":"+os.Getenv("PATH"), "PWD="+r.cwd, "GOWORK=off", "DOCS_REDIS="+r.addr, "DISLOCK_URL=redis://"+r.addr)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	began := time.Now()
	err = cmd.Run()
	if cmd.Process != nil {
		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
	}
	if ctx.Err() != nil {
		err = context.Cause(ctx)
	}
	output, _ := os.ReadFile(out.Name())
	if r.verbose {
		fmt.Printf("--- %.1fs %s\n%s%s", time.Since(began).Seconds(), r.cwd, script, indent(string(output)))
	}
	return string(output), err
}

func indent(s string) string {
	if s = strings.TrimRight(s, "\n"); s == "" {
		return ""
	}
	return "    " + strings.ReplaceAll(s, "\n", "\n    ") + "\n"
}
