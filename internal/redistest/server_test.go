package redistest

import (
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"
)

func TestStart(t *testing.T) {
	t.Parallel()
	a, b := Start(t), Start(t, "--maxmemory", "12345678")
	if a.Addr() == b.Addr() {
		t.Fatalf("two servers at %s", a.Addr())
	}
	a.Do(t, "SET", "k", "v")
	if got := b.Do(t, "GET", "k"); got != nil {
		t.Errorf("b knows the key of a: %q", got)
	}
	config, _ := b.Do(t, "CONFIG", "GET", "maxmemory").([]any)
	if len(config) != 2 || string(config[1].([]byte)) != "12345678" {
		t.Errorf("the argument did not reach the server: %q", config)
	}
}

func TestStartReportsWhatTheServerSays(t *testing.T) {
	t.Parallel()
	requireServer(t)
	s, err := StartProcess("--no-such-directive", "1")
	if err == nil {
		s.Close()
		t.Fatal("a server with a bad argument started")
	}
	if !errors.Is(err, errExited) || !strings.Contains(err.Error(), "no-such-directive") {
		t.Errorf("the error does not say why: %v", err)
	}
}

// A port that a stranger holds looks alive; it must not be taken for ours.
func TestStrangerIsNotMistaken(t *testing.T) {
	t.Parallel()
	stranger := Start(t)
	tries := 0
	s, err := launch(func(port int, dir string) ([]string, error) {
		if tries++; tries == 1 {
			port = stranger.Port()
		}
		return []string{"--bind", "127.0.0.1", "--port", strconv.Itoa(port), "--dir", dir}, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if s.Addr() == stranger.Addr() || tries != 2 {
		t.Errorf("at %s after %d tries, the stranger at %s", s.Addr(), tries, stranger.Addr())
	}
	if err := stranger.answers(s.proc); err == nil {
		t.Error("the stranger's answer passes for ours")
	}
}

func TestKillAndRestart(t *testing.T) {
	t.Parallel()
	s := Start(t)
	s.Do(t, "SET", "k", "v")
	p := s.proc
	s.Kill()
	select {
	case <-p.exited:
	default:
		t.Error("Kill returned before the process was gone")
	}
	s.Kill()
	if _, err := s.do("PING"); err == nil {
		t.Fatal("a killed server answers")
	}
	addr := s.Addr()
	s.Restart(t)
	if s.Addr() != addr {
		t.Errorf("restarted at %s, was at %s", s.Addr(), addr)
	}
	if keys := s.Keys(t); len(keys) != 0 {
		t.Errorf("data survived: %v", keys)
	}
}

func TestPauseAndResume(t *testing.T) {
	t.Parallel()
	s := Start(t)
	c, err := net.Dial("tcp", s.Addr())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	s.Pause()
	s.Pause()
	if _, err := c.Write([]byte("PING\r\n")); err != nil {
		t.Fatal(err)
	}
	buf := make([]byte, 16)
	_ = c.SetReadDeadline(time.Now().Add(100 * time.Millisecond))
	if n, err := c.Read(buf); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Fatalf("a paused server answered %q, %v", buf[:n], err)
	}
	s.Resume()
	s.Resume()
	_ = c.SetReadDeadline(time.Now().Add(adminTimeout))
	if n, err := c.Read(buf); string(buf[:n]) != "+PONG\r\n" {
		t.Fatalf("the request during the pause got %q, %v", buf[:n], err)
	}
	s.Pause() // and cleanup has to cope
}

func TestServerDiesWithTheTestBinary(t *testing.T) {
	t.Parallel()
	requireServer(t)
	cmd := exec.Command(os.Args[0])
	tmp := t.TempDir()
	cmd.Env = append(os.Environ(), "REDISTEST_ORPHAN=1", "TMPDIR="+tmp)
	addr, err := cmd.Output()
	if len(addr) == 0 {
		t.Fatalf("the other test binary started no server: %v", err)
	}
	err = eventually(adminTimeout, func() error {
		c, err := net.Dial("tcp", string(addr))
		if err != nil {
			return nil
		}
		_ = c.Close()
		return errors.New("the server outlived the binary that started it")
	})
	if err != nil {
		t.Fatal(err)
	}
	err = eventually(adminTimeout, func() error {
		left, err := os.ReadDir(tmp)
		if err == nil && len(left) > 0 {
			err = fmt.Errorf("%s outlived the binary that made it", left[0].Name())
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}
