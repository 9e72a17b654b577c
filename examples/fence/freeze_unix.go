//go:build unix

package main

import (
	"errors"
	"fmt"
	"os/exec"
	"strconv"
	"syscall"
)

// freeze makes the process stand still, as a long garbage collection or a paused
// virtual machine would, and returns when it does: the signal alone is delivered
// when the kernel gets to it. thaw lets it go on where it was.
//
// It is a shell that sends the signal for that, when its standard input ends: at
// the call of thaw, or when this process dies, whatever it dies of. Otherwise the
// frozen one would be left behind for ever.
func (p *process) freeze() (thaw func() error, err error) {
	pid := p.cmd.Process.Pid
	shell := exec.Command("sh", "-c", `read line; kill -CONT "$1"`, "thaw", strconv.Itoa(pid))
	stdin, err := shell.StdinPipe()
	if err != nil {
		return nil, err
	}
	if err := shell.Start(); err != nil {
		return nil, err
	}
	thaw = func() error {
		_ = stdin.Close()
		return shell.Wait()
	}
	err = p.cmd.Process.Signal(syscall.SIGSTOP)
	for err == nil {
		var status syscall.WaitStatus
		_, err = syscall.Wait4(pid, &status, syscall.WUNTRACED, nil)
		switch {
		case errors.Is(err, syscall.EINTR):
			err = nil
		case err == nil && status.Stopped():
			return thaw, nil
		case err == nil:
			err = errors.New("it has ended")
		}
	}
	_ = thaw()
	return nil, fmt.Errorf("%s does not stand still: %w", p.name, err)
}
