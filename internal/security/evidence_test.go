package security

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/dislock/dislock"
	"github.com/dislock/dislock/backend"
)

// Evidence is everything that anybody could read who is not meant to know a token.
type evidence struct {
	mu   sync.Mutex
	text strings.Builder
}

// clientLog is what go-redis logs, in whatever test.
var clientLog evidence

// Write makes an evidence the output of a logger.
func (e *evidence) Write(p []byte) (int, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.text.Write(p)
}

// Printf makes an evidence the logger of go-redis.
func (e *evidence) Printf(_ context.Context, format string, v ...any) {
	fmt.Fprintf(e, format+"\n", v...)
}

func (e *evidence) String() string {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.text.String()
}

// print shows v in every way in which somebody may come to print it.
func (e *evidence) print(v any) {
	b, err := json.Marshal(v)
	fmt.Fprintf(e, "%v | %+v | %#v | %s | %v\n", v, v, v, b, err)
	for _, h := range []slog.Handler{slog.NewTextHandler(e, nil), slog.NewJSONHandler(e, nil)} {
		slog.New(h).Info("printed", "value", v)
	}
}

// error prints err and each layer of it by itself.
func (e *evidence) error(err error) {
	for _, layer := range layers(err) {
		e.print(layer)
	}
}

// hooks prints what each hook is told.
func (e *evidence) hooks() dislock.Hooks {
	return dislock.Hooks{
		Waiting:       func(i dislock.WaitingInfo) { e.print(i); e.error(i.Reason) },
		Acquired:      func(i dislock.AcquiredInfo) { e.print(i) },
		Renewed:       func(i dislock.RenewedInfo) { e.print(i) },
		RenewalFailed: func(i dislock.RenewalFailedInfo) { e.print(i); e.error(i.Err) },
		Lost:          func(i dislock.LostInfo) { e.print(i); e.error(i.Err) },
		Released:      func(i dislock.ReleasedInfo) { e.print(i); e.error(i.Err) },
	}
}

func (e *evidence) logger() *slog.Logger {
	return slog.New(slog.NewJSONHandler(e, &slog.HandlerOptions{Level: slog.LevelDebug}))
}

// shown is how many bytes of a secret in a row give it away. By chance as many
// appear once in 10^12 places.
const shown = 8

// clean checks that none of the tokens can be read off, nor a part of its secret.
func (e *evidence) clean(t *testing.T, tokens []string) {
	t.Helper()
	text := strings.ToUpper(e.String() + clientLog.String())
	for _, token := range tokens {
		secret := token[strings.LastIndexByte(token, ':')+1:]
		for i := range len(secret) - shown + 1 {
			if at := strings.Index(text, secret[i:i+shown]); at >= 0 {
				t.Errorf("a token is shown: …%s…", text[max(0, at-200):min(len(text), at+60)])
				break
			}
		}
	}
}

// A spy is a line that notes the tokens that go by.
type spy struct {
	line
	mu   sync.Mutex
	seen map[string]bool
}

func newSpy(l line) *spy { return &spy{line: l, seen: make(map[string]bool)} }

func (s *spy) note(token string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.seen[token] = true
}

func (s *spy) SetNX(ctx context.Context, key, token string, ttl time.Duration) (uint64, error) {
	s.note(token)
	return s.line.SetNX(ctx, key, token, ttl)
}

func (s *spy) Join(ctx context.Context, key, token string, ttl, claim time.Duration, told chan<- backend.Grant) (uint64, error) {
	s.note(token)
	return s.line.Join(ctx, key, token, ttl, claim, told)
}

func (s *spy) tokens() (all []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for token := range s.seen {
		all = append(all, token)
	}
	return all
}
