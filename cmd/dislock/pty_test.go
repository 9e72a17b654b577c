//go:build linux

package main

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
	"unsafe"
)

// A tty is a terminal in which one program runs, with what a user would see of it.
type tty struct {
	t      *testing.T
	master *os.File
	cmd    *exec.Cmd
	exited chan struct{}

	mu sync.Mutex
	display
}

// terminal starts the command in a terminal of its own.
func terminal(t *testing.T, columns, lines int, cmd *exec.Cmd) *tty {
	t.Helper()
	master, err := os.OpenFile("/dev/ptmx", os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	var unlock, number int32
	control(t, master, syscall.TIOCSPTLCK, unsafe.Pointer(&unlock))
	control(t, master, syscall.TIOCGPTN, unsafe.Pointer(&number))
	slave, err := os.OpenFile(fmt.Sprintf("/dev/pts/%d", number), os.O_RDWR|syscall.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	tt := &tty{t: t, master: master, cmd: cmd, exited: make(chan struct{})}
	tt.resize(columns, lines)
	tt.cmd.Stdin, tt.cmd.Stdout, tt.cmd.Stderr = slave, slave, slave
	tt.cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	err = tt.cmd.Start()
	slave.Close()
	if err != nil {
		t.Fatal(err)
	}
	read := make(chan struct{})
	go func() {
		defer close(read)
		for buf := make([]byte, 1<<16); ; {
			n, err := master.Read(buf)
			if err != nil {
				return // the last one to have the terminal open has gone
			}
			tt.mu.Lock()
			tt.write(string(buf[:n]))
			tt.mu.Unlock()
		}
	}()
	go func() {
		defer close(tt.exited)
		_ = tt.cmd.Wait()
		<-read
	}()
	t.Cleanup(func() {
		_ = tt.cmd.Process.Kill()
		<-tt.exited
		master.Close()
		if t.Failed() {
			t.Logf("the screen:\n%s", strings.Join(tt.seen(), "\n"))
		}
	})
	return tt
}

func control(t *testing.T, f *os.File, request uintptr, arg unsafe.Pointer) {
	t.Helper()
	conn, err := f.SyscallConn() // Fd would make the reads block Close
	if err != nil {
		t.Fatal(err)
	}
	_ = conn.Control(func(fd uintptr) {
		if _, _, errno := syscall.Syscall(syscall.SYS_IOCTL, fd, request, uintptr(arg)); errno != 0 {
			err = errno
		}
	})
	if err != nil {
		t.Fatal(err)
	}
}

// resize makes the window so large; what was in it is lost.
func (tt *tty) resize(columns, lines int) {
	tt.t.Helper()
	size := [4]uint16{uint16(lines), uint16(columns)}
	tt.mu.Lock()
	defer tt.mu.Unlock()
	tt.display.resize(columns, lines)
	control(tt.t, tt.master, syscall.TIOCSWINSZ, unsafe.Pointer(&size))
}

// settles waits until frames fit the size that the window has. From then on all have to.
func (tt *tty) settles() {
	tt.t.Helper()
	eventually(tt.t, "frames that fit", func() bool {
		tt.mu.Lock()
		defer tt.mu.Unlock()
		tt.display.resized = tt.display.resized && tt.fit < 2
		return !tt.display.resized
	})
}

// types sends what a user types.
func (tt *tty) types(keys string) {
	tt.t.Helper()
	if _, err := tt.master.WriteString(keys); err != nil {
		tt.t.Fatal(err)
	}
}

// seen returns the lines on the screen.
func (tt *tty) seen() []string {
	tt.mu.Lock()
	defer tt.mu.Unlock()
	return tt.text()
}

// wants waits until the screen is as it should be, and returns it.
func (tt *tty) wants(what string, ok func(lines []string) bool) []string {
	tt.t.Helper()
	for began := time.Now(); time.Since(began) < generous; time.Sleep(5 * time.Millisecond) {
		if lines := tt.seen(); ok(lines) {
			return lines
		}
	}
	tt.t.Fatalf("the screen does not show %s", what)
	return nil
}

// shows waits until some line has all of words.
func (tt *tty) shows(words ...string) {
	tt.t.Helper()
	tt.wants(strings.Join(words, " and "), func(lines []string) bool {
		for _, line := range lines {
			all := true
			for _, word := range words {
				all = all && strings.Contains(line, word)
			}
			if all {
				return true
			}
		}
		return false
	})
}

// leaves waits for the end of the program, its code, and the screen as it was before.
func (tt *tty) leaves(code int) {
	tt.t.Helper()
	select {
	case <-tt.exited:
	case <-time.After(generous):
		tt.t.Fatal("the program does not end")
	}
	if got := tt.cmd.ProcessState.ExitCode(); got != code {
		tt.t.Errorf("exit code %d, want %d", got, code)
	}
	tt.mu.Lock()
	defer tt.mu.Unlock()
	if tt.alternate || tt.hidden || tt.nowrap {
		tt.t.Errorf("it left the terminal with another screen %v, no cursor %v, no wrapping %v", tt.alternate, tt.hidden, tt.nowrap)
	}
}
