//go:build darwin || dragonfly || freebsd || linux || netbsd || openbsd

package main

import (
	"os"
	"syscall"
	"unsafe"
)

// windowOf returns the size of the terminal that file is, and false if it is none, or
// no file at all.
func windowOf(file any) (columns, lines int, ok bool) {
	f, isFile := file.(*os.File)
	if !isFile {
		return 0, 0, false
	}
	var size struct{ lines, columns, x, y uint16 }
	_, _, errno := syscall.Syscall(syscall.SYS_IOCTL, f.Fd(), uintptr(syscall.TIOCGWINSZ), uintptr(unsafe.Pointer(&size)))
	if errno != 0 {
		return 0, 0, false
	}
	if size.columns == 0 || size.lines == 0 {
		return 80, 24, true // a terminal that does not know
	}
	return int(size.columns), int(size.lines), true
}

const (
	resized   = syscall.SIGWINCH
	suspended = syscall.SIGTSTP
	continued = syscall.SIGCONT
)

// suspend stops this process as the terminal wanted to. It may go on for a moment.
func suspend() { _ = syscall.Kill(os.Getpid(), syscall.SIGSTOP) }
