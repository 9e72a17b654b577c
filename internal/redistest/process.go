package redistest

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
)

// errExited is a process that ended before it answered.
var errExited = errors.New("redis-server exited at once")

// process is one run of redis-server. A goroutine of its own waits for the end
// of the process and is joined through exited.
type process struct {
	cmd     *exec.Cmd
	logPath string
	exited  chan struct{} // closed when the process is reaped and unguarded
}

// binary finds redis-server.
func binary() (string, error) {
	path, err := exec.LookPath("redis-server")
	if err != nil {
		return "", ErrNotInstalled
	}
	return path, nil
}

func startProcess(logPath string, args ...string) (*process, error) {
	path, err := binary()
	if err != nil {
		return nil, err
	}
	log, err := os.OpenFile(logPath, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, err
	}
	defer log.Close()
	p := &process{cmd: exec.Command(path, args...), logPath: logPath, exited: make(chan struct{})}
	p.cmd.Stdout, p.cmd.Stderr = log, log
	if err := p.cmd.Start(); err != nil {
		return nil, err
	}
	release, err := guard(p.pid(), filepath.Dir(logPath))
	if err != nil {
		_ = p.cmd.Process.Kill()
		_ = p.cmd.Wait()
		return nil, err
	}
	go func() {
		defer close(p.exited)
		// How it ended does not matter: it was killed, or its log says why.
		_ = p.cmd.Wait()
		release()
	}()
	return p, nil
}

// guard makes the process pid die, and its directory dir go, if this one dies
// before release is called. The guard is a shell that waits for the end of a pipe
// whose other end only this process has: whatever ends us, the kernel closes it.
// PR_SET_PDEATHSIG looks simpler, but fires when the thread that forked ends, and
// the Go runtime may end any thread but one that a goroutine occupies for ever.
//
// The guard ignores the signals that a terminal sends to all, because a server
// that is paused ignores them too, and only the guard's SIGKILL ends it.
func guard(pid int, dir string) (release func(), err error) {
	r, w, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	defer r.Close()
	sh := exec.Command("sh", "-c", `trap "" HUP INT QUIT TERM; read line; kill -9 "$1"; rm -rf -- "$2"`,
		"guard", strconv.Itoa(pid), dir)
	sh.Stdin = r
	if err := sh.Start(); err != nil {
		w.Close()
		return nil, fmt.Errorf("no guard for redis-server: %w", err)
	}
	return func() {
		// The pipe closes last: the pid may belong to somebody else by now.
		_ = sh.Process.Kill()
		_ = sh.Wait()
		w.Close()
	}, nil
}

func (p *process) pid() int { return p.cmd.Process.Pid }

// kill ends the process and returns when it is reaped. SIGKILL also ends what
// stands still after SIGSTOP, so there is nothing to resume first.
func (p *process) kill() {
	_ = p.cmd.Process.Kill()
	<-p.exited
}

// log returns what the process has written, for an error message.
func (p *process) log() string {
	b, err := os.ReadFile(p.logPath)
	if err != nil {
		return err.Error()
	}
	return string(b)
}
