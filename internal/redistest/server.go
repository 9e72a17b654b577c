package redistest

import (
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// ErrNotInstalled is why [StartProcess] cannot start anything.
var ErrNotInstalled = errors.New("redis-server is not installed; run make test, or install the package redis-server")

// startTimeout bounds how long a server may take to answer, on a machine that is
// busy with everything else.
const startTimeout = 20 * time.Second

// Server is one redis-server. Its address stays the same for its whole life,
// also across [Server.Kill] and [Server.Restart].
type Server struct {
	port int
	dir  string
	args []string

	mu     sync.Mutex
	proc   *process // nil while the server is killed
	paused bool     // only while proc is not nil
}

// Start starts a server without persistence on a free port of the loopback and
// returns when it answers. The arguments are added to the command line, as in
// "--maxmemory", "10mb"; they must leave the default user without a password.
// The server ends with the test.
func Start(tb testing.TB, args ...string) *Server {
	tb.Helper()
	requireServer(tb)
	s, err := StartProcess(args...)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(s.Close)
	return s
}

// StartProcess is [Start] for where there is no test, as in TestMain. The caller
// has to call [Server.Close]. If there is no redis-server, the error matches
// [ErrNotInstalled].
func StartProcess(args ...string) (*Server, error) {
	return launch(func(port int, dir string) ([]string, error) {
		return append([]string{
			"--bind", "127.0.0.1",
			"--port", strconv.Itoa(port),
			"--dir", dir,
			"--save", "",
			"--appendonly", "no",
			"--loglevel", "warning",
		}, args...), nil
	})
}

// requireServer ends the test unless there is a redis-server.
func requireServer(tb testing.TB) {
	tb.Helper()
	if _, err := binary(); err == nil {
		return
	}
	if os.Getenv("DISLOCK_TEST_SERVERS") == "required" {
		tb.Fatal(ErrNotInstalled)
	}
	tb.Skip("NOT TESTED: ", ErrNotInstalled)
}

// launch starts a server with the arguments that argv makes for a port and a
// directory. Between finding a free port and binding it anybody may take it, so
// a server that exits at once gets another port, a few times over.
func launch(argv func(port int, dir string) ([]string, error)) (*Server, error) {
	var last error
	for range 5 {
		s, err := prepare(argv)
		if err != nil {
			return nil, err
		}
		last = s.start()
		if last == nil {
			return s, nil
		}
		s.Close()
		if !errors.Is(last, errExited) {
			break
		}
	}
	return nil, last
}

// prepare makes a server that is not started yet.
func prepare(argv func(port int, dir string) ([]string, error)) (*Server, error) {
	if _, err := binary(); err != nil {
		return nil, err
	}
	port, err := freePort()
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "redistest-")
	if err != nil {
		return nil, err
	}
	s := &Server{port: port, dir: dir}
	s.args, err = argv(port, dir)
	if err != nil {
		s.Close()
		return nil, err
	}
	return s, nil
}

// start runs the process and waits until it answers.
func (s *Server) start() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.proc != nil {
		return errors.New("the server is running already")
	}
	p, err := startProcess(filepath.Join(s.dir, "redis.log"), s.args...)
	if err != nil {
		return err
	}
	deadline := time.Now().Add(startTimeout)
	for err = s.answers(p); err != nil; err = s.answers(p) {
		select {
		case <-p.exited:
			return fmt.Errorf("%w: %s", errExited, p.log())
		case <-time.After(5 * time.Millisecond):
		}
		if time.Now().After(deadline) {
			p.kill()
			return fmt.Errorf("redis-server does not answer: %w: %s", err, p.log())
		}
	}
	s.proc = p
	return nil
}

// answers reports whether it is this process that answers at the address. An
// answer alone says little: a stranger that took the port first answers as well.
func (s *Server) answers(p *process) error {
	if _, err := s.do("PING"); err != nil {
		return err
	}
	info, err := s.do("INFO", "server")
	if err != nil {
		return err
	}
	if !strings.Contains(fmt.Sprintf("%s", info), fmt.Sprintf("process_id:%d\r\n", p.pid())) {
		return fmt.Errorf("another server answers at %s", s.Addr())
	}
	return nil
}

// Addr returns the address as "127.0.0.1:port".
func (s *Server) Addr() string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(s.port)) }

// Port returns the port alone.
func (s *Server) Port() int { return s.port }

// Close kills the server and removes its directory. A second call does nothing.
func (s *Server) Close() {
	s.Kill()
	// Nobody else knows the directory, and the process that wrote there is dead:
	// what remains of it could only be litter.
	_ = os.RemoveAll(s.dir)
}
