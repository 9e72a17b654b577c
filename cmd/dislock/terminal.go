//go:build darwin || dragonfly || freebsd || linux || netbsd || openbsd

package main

import (
	"io"
	"os"
	"syscall"
	"unsafe"
)

// onTerminal reports whether a person may want to type into the command: stdin is the
// terminal that this process is controlled from, or, as in echo x | dislock run k -- ssh
// host, which asks for a password elsewhere, we are in its foreground.
func onTerminal(stdin io.Reader) bool {
	if f, ok := stdin.(*os.File); ok {
		if _, ok := foregroundOf(f); ok {
			return true
		}
	}
	tty, err := os.OpenFile("/dev/tty", os.O_RDONLY, 0)
	if err != nil {
		return false
	}
	defer tty.Close()
	group, ok := foregroundOf(tty)
	return ok && group == syscall.Getpgrp()
}

// foregroundOf returns which process group is in the foreground of f. No file answers
// that but the terminal that this process is controlled from.
func foregroundOf(f *os.File) (group int, ok bool) {
	var g int32
	_, _, errno := syscall.Syscall(syscall.SYS_IOCTL, f.Fd(), uintptr(syscall.TIOCGPGRP), uintptr(unsafe.Pointer(&g)))
	return int(g), errno == 0
}
