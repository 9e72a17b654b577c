package main

import (
	"io"
	"os"
	"os/exec"
)

// roleVariable makes this program one of its own helpers instead of the benchmark.
const roleVariable = "DISLOCK_BENCHMARK_ROLE"

const (
	keeperRole = "keeper" // starts redis-server and ends it when the benchmark is gone
	workerRole = "worker" // is one of the processes that want the lock
)

// assume runs the role that this process was started for, and is false if there
// is none.
func assume() (code int, assumed bool) {
	switch os.Getenv(roleVariable) {
	case keeperRole:
		return keep(os.Args[1:], os.Stdin, os.Stdout), true
	case workerRole:
		return work(os.Stdin, os.Stdout), true
	default:
		return 0, false
	}
}

// A helper is a process that runs this same program. Its standard input stays
// open for as long as the benchmark lives, however that ends: the kernel closes
// it. A helper whose input ends ends.
type helper struct {
	cmd *exec.Cmd
	in  io.WriteCloser
	out io.Reader
}

func startHelper(role string, args ...string) (*helper, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	cmd := exec.Command(self, args...)
	cmd.Env = append(os.Environ(), roleVariable+"="+role)
	cmd.Stderr = os.Stderr // only a panic would write there
	detach(cmd)
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	return &helper{cmd, in, out}, nil
}

// stop lets the helper end by itself, which the keeper needs to do, and reaps it.
func (h *helper) stop() {
	_ = h.in.Close()
	_ = h.cmd.Wait()
}

// kill ends a helper that would not.
func (h *helper) kill() {
	_ = h.cmd.Process.Kill()
	h.stop()
}
