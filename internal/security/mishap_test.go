package security

import (
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gomodule/redigo/redis"

	"github.com/dislock/dislock/internal/recipe/recipetest"
	"github.com/dislock/dislock/internal/redistest"
)

// A mishap befalls a server, and what is locked on it, while the lock is held.
type mishap struct {
	args   []string                        // of the server
	rules  []string                        // of the user; nil for the default user
	happen func(t *testing.T, s *sufferer) // nil: it is there from the start
	want   string                          // what is said about it
}

type sufferer struct {
	server *redistest.Server
	proxy  *redistest.Proxy
	keys   []string // as Redis knows them
}

// each sends a command for each key.
func (s *sufferer) each(t *testing.T, suffix, cmd string, args ...any) {
	for _, key := range s.keys {
		s.server.Do(t, cmd, append([]any{key + suffix}, args...)...)
	}
}

func rulesWithout(gone string) []string {
	return slices.DeleteFunc(slices.Clone(recipetest.ACL), func(rule string) bool { return rule == gone })
}

// fewer takes rules away from a user who is connected.
func fewer(gone ...string) func(*testing.T, *sufferer) {
	return func(t *testing.T, s *sufferer) {
		for _, rule := range gone {
			s.server.Do(t, "ACL", "SETUSER", "lock", strings.Replace(rule, "+", "-", 1))
		}
	}
}

func config(name, value string) func(*testing.T, *sufferer) {
	return func(t *testing.T, s *sufferer) { s.server.Do(t, "CONFIG", "SET", name, value) }
}

var mishaps = map[string]mishap{
	"none":               {happen: func(*testing.T, *sufferer) {}, want: "held by"},
	"the key is deleted": {happen: func(t *testing.T, s *sufferer) { s.each(t, "", "DEL") }, want: "the lock is lost"},
	"the key is taken": {happen: func(t *testing.T, s *sufferer) { s.each(t, "", "SET", "other:"+strings.Repeat("A", 26)) },
		want: `held by "other"`},
	"the server is silent": {happen: func(_ *testing.T, s *sufferer) { s.proxy.Blackhole() }, want: "no answer"},
	"connections are cut": {happen: func(_ *testing.T, s *sufferer) {
		s.proxy.LoseReply("evalsha", 1000)
		s.proxy.CutAll()
	}, want: "EOF"},
	"the server is gone":       {happen: func(_ *testing.T, s *sufferer) { s.server.Kill(); s.proxy.CutAll() }, want: "the store is unavailable"},
	"EVALSHA is forbidden":     {rules: recipetest.ACL, happen: fewer("+evalsha"), want: "NOPERM"},
	"EVAL is forbidden":        {rules: rulesWithout("+eval"), want: "NOPERM"},
	"SET is forbidden":         {rules: recipetest.ACL, happen: fewer("+set", "+pexpire", "+del", "+get"), want: "can't run this command"},
	"the keys are forbidden":   {rules: append(rulesWithout("~dislock:*"), "~other:*"), want: "NOPERM"},
	"the channel is forbidden": {rules: recipetest.ACL, happen: func(t *testing.T, s *sufferer) { s.server.Do(t, "ACL", "SETUSER", "lock", "resetchannels") }, want: "waiters poll"},
	"EVALSHA is unknown":       {args: []string{"--rename-command", "EVALSHA", "another-name"}, want: "unknown command"},
	"EVAL is unknown":          {args: []string{"--rename-command", "EVAL", "another-name"}, want: "unknown command"},
	"the key is a list":        {happen: func(t *testing.T, s *sufferer) { s.each(t, "", "DEL"); s.each(t, "", "RPUSH", "x") }, want: "WRONGTYPE"},
	"the counter is a list": {happen: func(t *testing.T, s *sufferer) {
		s.each(t, "", "DEL")
		s.each(t, ":fence", "DEL")
		s.each(t, ":fence", "RPUSH", "x")
	}, want: "WRONGTYPE"},
	"the line is a string": {happen: func(t *testing.T, s *sufferer) { s.each(t, ":line", "SET", "x") }, want: "WRONGTYPE"},
	"the counter overflows": {happen: func(t *testing.T, s *sufferer) {
		s.each(t, "", "DEL")
		s.each(t, ":fence", "SET", "9223372036854775807", "EX", 90000)
	}, want: "overflow"},
	"memory is short": {happen: config("maxmemory", "1"), want: "OOM"},
	"it is a replica": {happen: func(t *testing.T, s *sufferer) { s.server.Do(t, "REPLICAOF", "127.0.0.1", s.server.Port()) }, want: "READONLY"},
	"it is a stale replica": {happen: func(t *testing.T, s *sufferer) {
		config("replica-serve-stale-data", "no")(t, s)
		s.server.Do(t, "REPLICAOF", "127.0.0.1", s.server.Port())
	}, want: "MASTERDOWN"},
	"a script runs for ever":    {args: []string{"--busy-reply-threshold", "5"}, happen: busy, want: "BUSY"},
	"the cluster has no slots":  {args: []string{"--cluster-enabled", "yes"}, want: "CLUSTERDOWN"},
	"the password is withdrawn": {rules: recipetest.ACL, happen: func(t *testing.T, s *sufferer) { s.server.Do(t, "ACL", "SETUSER", "lock", "reset"); s.proxy.CutAll() }, want: "WRONGPASS"},
}

// busy keeps the server from doing anything else for a while, in which it would
// take a processor from the other tests as well.
func busy(t *testing.T, s *sufferer) {
	c, err := redis.Dial("tcp", s.server.Addr(), redis.DialReadTimeout(20*time.Second))
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	wg.Go(func() { _, _ = c.Do("EVAL", "while true do end", 0) })
	wg.Go(func() {
		time.Sleep(300 * time.Millisecond)
		s.server.Do(t, "SCRIPT", "KILL")
	})
	t.Cleanup(func() {
		wg.Wait()
		c.Close()
	})
}
