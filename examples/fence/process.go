package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
)

// A process is a teller, seen from its parent.
type process struct {
	name   string
	cmd    *exec.Cmd
	stdin  io.WriteCloser
	events *json.Decoder
}

// start starts a teller, which is this same program. It is killed when ctx ends,
// paused or not.
func start(ctx context.Context, j job) (*process, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	cmd := exec.CommandContext(ctx, self)
	cmd.Env = append(os.Environ(), childVariable+"=1")
	cmd.Stderr = os.Stderr // only a panic would write there
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	p := &process{name: j.Name, cmd: cmd, stdin: stdin, events: json.NewDecoder(stdout)}
	if err := json.NewEncoder(stdin).Encode(j); err != nil {
		p.kill()
		return nil, fmt.Errorf("%s takes no job: %w", j.Name, err)
	}
	return p, nil
}

// next returns what the process tells next, or io.EOF when it has done its job.
func (p *process) next() (event, error) {
	var e event
	err := p.events.Decode(&e)
	switch {
	case err == nil && e.What == failed:
		return e, fmt.Errorf("%s gave up: %s", p.name, e.Text)
	case errors.Is(err, io.EOF):
		if err := p.cmd.Wait(); err != nil {
			return e, fmt.Errorf("%s ended: %w", p.name, err)
		}
		return e, io.EOF
	case err != nil:
		return e, fmt.Errorf("%s: %w", p.name, err)
	}
	return e, nil
}

// goOn has the process write, after it has looked at its lease for the last time.
// Said to a process that is frozen, it is all that one finds when it thaws.
func (p *process) goOn() error {
	_, err := io.WriteString(p.stdin, "true\n")
	return err
}

// kill ends the process, if it has not ended yet, and returns when it is gone.
func (p *process) kill() {
	_ = p.cmd.Process.Kill()
	_ = p.cmd.Wait()
}
