//go:build linux

package main

import (
	"encoding/json"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/dislock/dislock"
	"github.com/dislock/dislock/backend/goredis"
	"github.com/dislock/dislock/internal/redistest"
)

// ordered returns a guardian of a guard that does nothing, and what reads the orders that
// it was written.
func ordered(t *testing.T) (g *guardian, orders func() []order) {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		r.Close()
		w.Close()
	})
	g = &guardian{
		cmd:    &exec.Cmd{Process: &os.Process{Pid: os.Getpid()}},
		orders: w, ending: make(chan struct{}), gone: make(chan struct{}),
	}
	return g, func() (all []order) {
		w.Close()
		for d := json.NewDecoder(r); ; {
			var o order
			switch err := d.Decode(&o); err {
			case nil:
				all = append(all, o)
			case io.EOF:
				return all
			default:
				t.Fatal(err)
			}
		}
	}
}

// TestLastOrder holds that no renewal that is late takes back that the lock is lost.
func TestLastOrder(t *testing.T) {
	t.Parallel()
	g, orders := ordered(t)
	g.until(after(time.Now(), 2*time.Second))
	g.atLast(after(time.Now(), time.Second))
	g.until(after(time.Now(), time.Minute))
	if left := g.latest().left(); left > time.Second {
		t.Errorf("%v are left, want a second", left)
	}
	if all := orders(); len(all) != 2 || all[0].Last || !all[1].Last || all[1].Left > time.Second {
		t.Errorf("the orders are %v, want the first not the last, and the second", all)
	}
}

// TestOrderBeforeTheStart holds that the guard knows the group before there is anybody in
// it: run may be killed in the next instant.
func TestOrderBeforeTheStart(t *testing.T) {
	t.Parallel()
	g, orders := ordered(t)
	if _, _, err := startChild(exec.Command("/no/such/command"), g, false); err == nil {
		t.Fatal("it was started")
	}
	if all := orders(); len(all) != 1 || all[0].target != (target{Group: os.Getpid()}) {
		t.Errorf("the orders are %v, want the group", all)
	}
}

// TestLossWithLittleLeft holds that a loss grants no more of the grace than there is of
// the lease on the store.
func TestLossWithLittleLeft(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	client := redis.NewClient(&redis.Options{Addr: server.Addr()})
	defer client.Close()
	b := goredis.New(client)
	defer b.Close()
	lease, err := dislock.New(b, "k", dislock.WithMaxHold(10*time.Millisecond), dislock.WithLogger(slog.New(slog.DiscardHandler))).TryLockContext(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	<-lease.Done()
	const ttl, left = 10 * time.Second, 500 * time.Millisecond
	g, orders := ordered(t)
	k := newKeeper(nil, ttl, func(deadline) {})
	k.granted(time.Now().Add(left - (ttl - ttl/20)))
	j := &job{env: env{stderr: io.Discard}, runOptions: runOptions{grace: time.Minute}, guard: g, keeper: k}
	cmd := exec.Command("sleep", "20")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	c := &child{cmd: cmd, foreground: true, gone: make(chan struct{})}
	c.kin = newKin(target{Pid: cmd.Process.Pid, Born: born(cmd.Process.Pid)})
	go func() {
		defer close(c.gone)
		_ = cmd.Wait()
	}()
	stop := time.AfterFunc(generous, func() { _ = cmd.Process.Kill() })
	defer stop.Stop()
	began := time.Now()
	j.attend(c, lease)
	if took := time.Since(began); took < left/2 || took > generous/2 {
		t.Errorf("the command lived for %v, want %v", took, left)
	}
	if all := orders(); len(all) != 1 || !all[0].Last || all[0].Left > left {
		t.Errorf("the orders are %v, want the last, with %v", all, left)
	}
}
