package main

import (
	"context"
	"crypto/rand"
	"fmt"
	"os"
	"path/filepath"
	"time"
)

// opening is the balance with which the account begins.
const opening = 100

// A stage is what the processes have in common: the Redis with the lock, and the
// account in a file.
type stage struct {
	*account
	job   // what all of them are told
	close func()
}

// newStage makes an account that holds opening. If url is empty it starts a
// Redis.
func newStage(url string, fenced bool) (*stage, error) {
	url, closeRedis, err := openRedis(url)
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "dislock-fence-")
	if err != nil {
		closeRedis()
		return nil, err
	}
	s := &stage{
		job: job{
			Redis: url,
			// Runs that share a server do not disturb each other. What stays there
			// for a day is the counter of the fences.
			Key:    "fence-example:" + rand.Text(),
			File:   filepath.Join(dir, "bank.db"),
			Fenced: fenced,
			TTL:    time.Second,
			Times:  1,
		},
	}
	s.account, err = openAccount(s.File, fenced)
	if err == nil {
		err = s.create(context.Background(), opening)
	}
	s.close = func() {
		if s.account != nil {
			_ = s.account.close()
		}
		_ = os.RemoveAll(dir)
		closeRedis()
	}
	if err != nil {
		s.close()
		return nil, fmt.Errorf("no account: %w", err)
	}
	return s, nil
}

// teller starts one that deposits amount.
func (s *stage) teller(ctx context.Context, name string, amount int) (*process, error) {
	j := s.job
	j.Name, j.Amount = name, amount
	return start(ctx, j)
}
