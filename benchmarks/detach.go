package main

import (
	"os/exec"
	"syscall"
)

// detach keeps what a terminal sends to all of its processes, as at ctrl-C, from
// the helper: it ends when the benchmark does, and not by itself before.
func detach(cmd *exec.Cmd) { cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} }
