//go:build !(darwin || dragonfly || freebsd || linux || netbsd || openbsd)

package main

import (
	"os"
	"syscall"
)

// windowOf takes a terminal to be of the usual size.
func windowOf(file any) (columns, lines int, ok bool) {
	f, isFile := file.(*os.File)
	if !isFile {
		return 0, 0, false
	}
	info, err := f.Stat()
	return 80, 24, err == nil && info.Mode()&os.ModeCharDevice != 0
}

// Signals that nobody sends here.
const (
	resized   = syscall.Signal(-1)
	suspended = syscall.Signal(-2)
	continued = syscall.Signal(-3)
)

func suspend() {}
