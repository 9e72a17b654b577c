//go:build linux

package main

import (
	"errors"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/dislock/dislock/backend"
	"github.com/dislock/dislock/internal/redistest"
)

// TestRefused holds that a user whom Redis does not know, or does not let lock, is told
// so at once: the default is to wait for ever.
func TestRefused(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	server.Do(t, "ACL", "SETUSER", "looker", "on", ">pw", "~*", "+get")
	server.Do(t, "ACL", "SETUSER", "default", ">secret", "resetpass", ">secret")
	for url, says := range map[string]string{
		"redis://" + server.Addr():           "NOAUTH",
		"redis://:wrong@" + server.Addr():    "WRONGPASS",
		"redis://looker:pw@" + server.Addr(): "NOPERM",
	} {
		p := start(t, server.Addr(), "run", "-url", url, "k", "--", "true")
		p.ends(exitUnavailable)
		p.says("Redis refuses us: ")
		p.says(says)
	}
}

// TestRefusedLater holds that only the first answer counts: who has been let in is not
// turned away by a change of passwords that is half done.
func TestRefusedLater(t *testing.T) {
	t.Parallel()
	noauth := unknownUser(t)
	for name, first := range map[string]error{"granted": nil, "busy": backend.ErrHeld} {
		k := newKeeper(nil, time.Second, nil)
		k.refused = func(error) { t.Errorf("refused after it was %s", name) }
		k.answered(first)
		k.answered(noauth)
	}
	for name, first := range map[string]error{"no answer": errors.New("down"), "nothing": noauth} {
		k, refused := newKeeper(nil, time.Second, nil), 0
		k.refused = func(error) { refused++ }
		k.answered(first)
		k.answered(noauth)
		k.answered(noauth)
		if refused != 1 {
			t.Errorf("refused %d times after %s, want once", refused, name)
		}
	}
}

// unknownUser returns what Redis says to a user whom it does not know.
func unknownUser(t *testing.T) error {
	t.Helper()
	client := redis.NewClient(&redis.Options{Addr: redistest.Start(t).Addr(), Username: "nobody", Password: "pw"})
	defer client.Close()
	err := client.Ping(t.Context()).Err()
	if !redis.IsAuthError(err) {
		t.Fatalf("Ping: %v, want an error of authentication", err)
	}
	return err
}
