//go:build unix

package redistest

import (
	"errors"
	"os"
	"syscall"
)

// suspend stops a child of this process and returns when it stands still. The
// signal alone is not enough: it is delivered when the kernel gets to it, and
// the child may answer one more request before.
func suspend(p *os.Process) error {
	if err := p.Signal(syscall.SIGSTOP); err != nil {
		return err
	}
	for {
		var status syscall.WaitStatus
		_, err := syscall.Wait4(p.Pid, &status, syscall.WUNTRACED, nil)
		switch {
		case errors.Is(err, syscall.EINTR):
		case err != nil:
			return err
		case !status.Stopped():
			return os.ErrProcessDone
		default:
			return nil
		}
	}
}

func proceed(p *os.Process) error { return p.Signal(syscall.SIGCONT) }
