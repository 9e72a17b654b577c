package main

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
)

const anywhere = "anywhere"

// keep runs redis-server until in ends, says its pid, and removes its directory
// afterwards. It is a process of its own so that the server ends with the
// benchmark even if that is killed. The arguments are the processor for the
// server, or anywhere, then its directory, then its own.
func keep(args []string, in io.Reader, out io.Writer) (code int) {
	if cpu, err := strconv.Atoi(args[0]); err == nil {
		if err := pin([]int{cpu}); err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
	}
	dir := args[1]
	defer os.RemoveAll(dir)
	cmd := exec.Command("redis-server", append([]string{"--dir", dir}, args[2:]...)...)
	detach(cmd)
	if err := cmd.Start(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = cmd.Wait() // the server has ended, and how makes no difference
	}()
	released := make(chan struct{})
	go func() {
		defer close(released)
		_, _ = io.Copy(io.Discard, in)
	}()
	fmt.Fprintln(out, cmd.Process.Pid)
	select {
	case <-ended:
		return 1
	case <-released:
		_ = cmd.Process.Kill()
		<-ended
		return 0
	}
}
