//go:build linux

package main

import (
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/dislock/dislock"
	"github.com/dislock/dislock/backend/goredis"
	"github.com/dislock/dislock/internal/redistest"
)

// TestSignals holds that the command hears each signal that dislock is sent, once, and
// that it is for the command to decide what it means.
func TestSignals(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	heard := filepath.Join(t.TempDir(), "heard")
	p := start(t, server.Addr(), "run", "k", "--", "sh", script(t, "signals.sh"), heard)
	want := "ready\n"
	hears := func() {
		t.Helper()
		eventually(t, "word of "+want, func() bool { return read(t, heard) == want })
	}
	hears()
	for _, s := range []struct {
		name   string
		signal syscall.Signal
	}{
		{"HUP", syscall.SIGHUP}, {"INT", syscall.SIGINT}, {"QUIT", syscall.SIGQUIT},
		{"USR1", syscall.SIGUSR1}, {"USR2", syscall.SIGUSR2}, {"WINCH", syscall.SIGWINCH}, {"TERM", syscall.SIGTERM},
	} {
		p.send(s.signal)
		want += s.name + "\n"
		hears()
	}
	p.ends(3)
	hears()
	if said := read(t, p.errors); strings.Contains(said, "User defined") {
		t.Errorf("helpers died of signals that are for the command: %s", said)
	}
}

// TestSignalReachesHelpers holds that a signal that means the end ends the whole group: a
// shell that dies alone would leave behind what it was waiting for.
func TestSignalReachesHelpers(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	file := filepath.Join(t.TempDir(), "pid")
	p := start(t, server.Addr(), "run", "k", "--", "sh", "-c", `sleep 20 & echo $! >"$1"; wait`, "sh", file)
	eventually(t, "helper", func() bool { return strings.HasSuffix(read(t, file), "\n") })
	p.send(syscall.SIGTERM)
	p.ends(128 + 15)
	helper := strings.TrimSpace(read(t, file))
	eventually(t, "end of the helper", func() bool {
		status := read(t, "/proc/"+helper+"/status")
		return status == "" || strings.Contains(status, "State:\tZ")
	})
}

// TestSignalEndsTheWait holds that who waits can be interrupted, and leaves the line,
// also if its first attempts to do so are lost on the way.
func TestSignalEndsTheWait(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	holder := start(t, server.Addr(), "run", "-v", "k", "--", "sleep", "20")
	holder.says("holding")
	proxy := redistest.NewProxy(t, server.Addr())
	for _, s := range []syscall.Signal{syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP} {
		p := start(t, proxy.Addr(), "run", "-v", "k", "--", "true")
		p.says("waiting")
		eventually(t, "place in line", func() bool { return waiters(t, server) == 1 })
		p.send(syscall.SIGUSR1) // means nothing to who waits
		proxy.LoseRequest("dislock:{k}", 2)
		p.send(s)
		p.ends(128 + int(s))
		if n := waiters(t, server); n != 0 {
			t.Errorf("after %v %d stand in line, want nobody", s, n)
		}
	}
}

// TestSignalWithTheLock holds that a signal that comes in the instant in which the lock
// does ends the wait, or is left for the command; nobody swallows it.
func TestSignalWithTheLock(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	client := redis.NewClient(&redis.Options{Addr: server.Addr()})
	defer client.Close()
	b := goredis.New(client)
	defer b.Close()
	for range 200 {
		signals := make(chan os.Signal, 1)
		var once sync.Once
		k := newKeeper(b, 30*time.Second, func(deadline) { once.Do(func() { signals <- syscall.SIGTERM }) })
		j := &job{
			env: env{stderr: io.Discard}, runOptions: runOptions{key: "k", wait: generous}, signals: signals,
			guard: &guardian{gone: make(chan struct{})}, keeper: k, mutex: dislock.New(k, "k"),
		}
		lease, code := j.lock()
		left := len(signals)
		if lease != nil {
			_ = lease.Unlock(t.Context())
		}
		if lease != nil && left == 0 || lease == nil && code != 128+15 {
			t.Fatalf("a lease: %v, code %d, and %d signals are left", lease != nil, code, left)
		}
	}
}

// TestSignalWithTheGrant holds that run does not exit before what the store has granted is
// given back, or half a second has passed, when a signal came before the mutex knew.
func TestSignalWithTheGrant(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	client := redis.NewClient(&redis.Options{Addr: server.Addr()})
	defer client.Close()
	b := goredis.New(client)
	defer b.Close()
	signals := make(chan os.Signal, 1)
	var once sync.Once
	k := newKeeper(b, 30*time.Second, func(deadline) {
		once.Do(func() {
			signals <- syscall.SIGTERM
			time.Sleep(100 * time.Millisecond)
		})
	})
	j := &job{
		env: env{stderr: io.Discard}, runOptions: runOptions{key: "k"}, signals: signals,
		guard: &guardian{gone: make(chan struct{})}, keeper: k, mutex: dislock.New(k, "k"),
	}
	began := time.Now()
	if lease, code := j.lock(); lease != nil || code != 128+15 {
		t.Fatalf("a lease: %v, code %d, want none, and that of the signal", lease != nil, code)
	}
	if !closed(k.gaveBack) && time.Since(began) < 500*time.Millisecond {
		t.Error("the key was not given back")
	}
}

// TestSignalStorm holds that signals that wait to be passed on do not come before the end
// of the command, when its deadline has passed.
func TestSignalStorm(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	client := redis.NewClient(&redis.Options{Addr: server.Addr()})
	defer client.Close()
	b := goredis.New(client)
	defer b.Close()
	lease, err := dislock.New(b, "k").TryLockContext(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer lease.Unlock(t.Context())
	j := &job{
		signals: make(chan os.Signal, 1000),
		guard:   &guardian{ending: make(chan struct{}), gone: make(chan struct{})},
		keeper:  newKeeper(b, time.Second, nil), // which was granted nothing
	}
	for range cap(j.signals) {
		j.signals <- syscall.SIGWINCH
	}
	passed := -1
	j.stderr = writerFunc(func([]byte) { passed = cap(j.signals) - len(j.signals) })
	c := &child{cmd: exec.Command("sleep", "20"), foreground: true, gone: make(chan struct{})}
	if err := c.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	c.kin = newKin(target{Pid: c.cmd.Process.Pid, Born: born(c.cmd.Process.Pid)})
	go func() {
		defer close(c.gone)
		_ = c.cmd.Wait()
	}()
	stop := time.AfterFunc(generous, func() { _ = c.cmd.Process.Kill() })
	defer stop.Stop()
	j.attend(c, lease)
	if passed != 0 {
		t.Errorf("it passed on %d signals first, want none", passed)
	}
}

type writerFunc func([]byte)

// Write implements [io.Writer].
func (f writerFunc) Write(b []byte) (int, error) {
	f(b)
	return len(b), nil
}

func waiters(t *testing.T, server *redistest.Server) int64 {
	t.Helper()
	return server.Do(t, "ZCARD", "dislock:{k}:line").(int64)
}

// TestNohup holds that a signal that is ignored stays so for the command.
func TestNohup(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	dir := t.TempDir()
	ready, enough := filepath.Join(dir, "ready"), filepath.Join(dir, "enough")
	p := startOn(t, server.Addr(), func(cmd *exec.Cmd) {
		cmd.Args = append([]string{"sh", "-c", `trap "" HUP; exec "$0" "$@"`, cmd.Path}, cmd.Args[1:]...)
		cmd.Path = "/bin/sh"
	}, "run", "k", "--", "sh", script(t, "patient.sh"), ready, enough, "6", "HUP")
	eventually(t, "sign of life", func() bool { return exists(ready) })
	p.send(syscall.SIGHUP)
	time.Sleep(50 * time.Millisecond)
	create(t, enough)
	p.ends(6)
}
