package recipetest

import (
	"strings"
	"testing"

	"github.com/dislock/dislock/internal/redistest"
)

// ACL is what a user needs who only locks, as the adapters' documentation has it:
// to lock, to wait, and to be told of its turn.
var ACL = strings.Fields("~dislock:* +evalsha +eval" +
	" +get +set +incr +exists +pexpire +pttl +del +time +zpopmin" +
	" +zadd +zrange +zrank +zrem" +
	" &dislock:* +subscribe +publish +pubsub|numsub +ping")

// AddUser creates the user "lock" with the password "secret" and these rules.
func AddUser(tb testing.TB, s *redistest.Server, rules ...string) {
	tb.Helper()
	args := []any{"SETUSER", "lock", "reset", "on", ">secret"}
	for _, rule := range rules {
		args = append(args, rule)
	}
	s.Do(tb, "ACL", args...)
}

func (t *T) as(s *redistest.Server, rules ...string) Login {
	AddUser(t, s, rules...)
	return Login{Addr: s.Addr(), User: "lock", Password: "secret"}
}

func forgottenScript(t *T) {
	s, b := t.start()
	t.turn(b)
	s.Do(t, "SCRIPT", "FLUSH")
	t.turn(b)

	s.Restart(t)
	// The pool's connection died with the server, and its first user may learn it.
	if _, err := b.SetNX(t.ctx(), key, t.token, long); err != nil {
		t.unknown("SetNX on a dead connection", err)
	}
	t.take(b, t.token)
	if err := b.ExpireIfOwner(t.ctx(), key, t.token, long); err != nil {
		t.Errorf("ExpireIfOwner after a restart: %v", err)
	}
	s.Do(t, "SCRIPT", "FLUSH")
	if err := b.DeleteIfOwner(t.ctx(), key, t.token); err != nil {
		t.Errorf("DeleteIfOwner after SCRIPT FLUSH: %v", err)
	}
	if n := s.CommandStats(t)["script|load"]; n != 0 {
		t.Errorf("SCRIPT LOAD ran %d times", n)
	}
}

func minimalUser(t *T) {
	s := redistest.Start(t)
	b := t.open(t, t.as(s, ACL...))
	t.turn(b)
	t.take(b, t.token)
	if err := b.ExpireIfOwner(t.ctx(), key, t.token, long); err != nil {
		t.Errorf("ExpireIfOwner: %v", err)
	}
	s.Do(t, "PEXPIRE", fence, 1000) // so that the counter is set anew
	if err := b.DeleteIfOwner(t.ctx(), key, t.token); err != nil {
		t.Errorf("DeleteIfOwner: %v", err)
	}
	t.turn(b)
}

func userWithoutScripts(t *T) {
	s := redistest.Start(t)
	b := t.open(t, t.as(s, "~dislock:*", "+get", "+set", "+incr", "+pexpire", "+pttl", "+del", "+time"))
	_, err := b.SetNX(t.ctx(), key, t.token, long)
	if err == nil || !strings.Contains(err.Error(), "evalsha") {
		t.Errorf("SetNX: %v, want an error that names evalsha", err)
	}
	t.allUnknown(b)
	if keys := s.Keys(t); len(keys) != 0 {
		t.Errorf("left behind: %v", keys)
	}
}

// userWithoutSet may count but not take; the counter must not be left without an
// expiry.
func userWithoutSet(t *T) {
	s := redistest.Start(t)
	b := t.open(t, t.as(s, append(ACL, "-set")...))
	_, err := b.SetNX(t.ctx(), key, t.token, long)
	t.unknown("SetNX", err)
	if keys := s.Keys(t); len(keys) != 0 {
		t.Errorf("left behind: %v", keys)
	}
}

// renamedCommand is the server that an administrator has hardened. It quotes the
// arguments of commands it does not know.
func renamedCommand(t *T) {
	_, b := t.start("--rename-command", "EVALSHA", "do-not")
	t.allUnknown(b)
}

func wrongPassword(t *T) {
	s := redistest.Start(t)
	login := t.as(s, ACL...)
	login.Password = "wrong"
	t.allUnknown(t.open(t, login))
}

func noServer(t *T) {
	s, b := t.start()
	s.Kill()
	t.allUnknown(b)
	s.Restart(t)
	t.turn(b)
}
