package main

import (
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"time"
)

// startTimeout bounds how long a server may take to answer.
const startTimeout = 10 * time.Second

// A server is one redis-server on the loopback, without persistence. It ends
// with the benchmark.
type server struct {
	addr    string
	version string
	keeper  *helper
	dir     string // for what is shared between processes; the keeper removes it
}

// startServer starts a server on a processor. Between finding a free port and binding it anybody
// may take it, so it is tried a few times.
func startServer(cpu string) (s *server, err error) {
	if _, err := exec.LookPath("redis-server"); err != nil {
		return nil, errors.New("redis-server is not installed: the package is called redis-server or redis")
	}
	for range 3 {
		if s, err = tryServer(cpu); err == nil {
			return s, nil
		}
	}
	return nil, err
}

func tryServer(cpu string) (*server, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	s := &server{addr: l.Addr().String()}
	_ = l.Close()
	if s.dir, err = os.MkdirTemp("", "dislock-benchmark-"); err != nil {
		return nil, err
	}
	_, port, _ := net.SplitHostPort(s.addr)
	s.keeper, err = startHelper(keeperRole, cpu, s.dir, "--bind", "127.0.0.1", "--port", port,
		"--save", "", "--appendonly", "no", "--loglevel", "warning")
	if err != nil {
		_ = os.RemoveAll(s.dir)
		return nil, err
	}
	if err := s.await(); err != nil {
		s.close()
		return nil, err
	}
	return s, nil
}

// await returns when the server answers, and is ours: not somebody else's who
// took the port.
func (s *server) await() error {
	var pid int
	if _, err := fmt.Fscan(s.keeper.out, &pid); err != nil {
		return fmt.Errorf("redis-server did not start: %w", err)
	}
	var last error
	for deadline := time.Now().Add(startTimeout); time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
		var info string
		if info, last = s.ask("INFO", "server"); last == nil {
			if field(info, "process_id") != strconv.Itoa(pid) {
				return errors.New("another server has taken the port")
			}
			s.version = field(info, "redis_version")
			return nil
		}
	}
	return fmt.Errorf("redis-server does not answer: %w", last)
}

// field is what a line of INFO says of name.
func field(info, name string) string {
	for line := range strings.Lines(info) {
		if value, ok := strings.CutPrefix(line, name+":"); ok {
			return strings.TrimSpace(value)
		}
	}
	return ""
}

// ask sends one command on a connection of its own.
func (s *server) ask(args ...string) (string, error) {
	c, err := dialRESP(s.addr)
	if err != nil {
		return "", err
	}
	defer c.close()
	return c.do(args...)
}

func (s *server) close() {
	s.keeper.stop() // which removes the directory
}
