package recipe

import (
	"context"
	"io"
	"sync"
	"time"

	"github.com/dislock/dislock/backend"
)

// A stage is a Driver whose server is played by the test, in a bubble of synctest:
// its time is not ours.
type stage struct {
	mu       sync.Mutex
	refusal  error         // what Subscribe says; nil if it works
	hung     chan struct{} // if it is not nil, Subscribe waits for its end
	unheard  bool          // the greeting does not come back
	mute     bool          // pings are not answered
	dials    []time.Time
	ear      *ear // the latest subscription
	answers  func(name string, args []any) (any, error)
	requests []request
}

// A request is one that was sent, hello's not.
type request struct {
	name string
	args []any // the script's ARGV
}

var scripts = map[any]string{
	acquire.hash: "acquire", extend.hash: "extend", join.hash: "join", release.hash: "release", confirm.hash: "confirm", hello.hash: "hello",
}

func (s *stage) Do(_ context.Context, args []any) (any, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := request{scripts[args[1]], args[3+args[2].(int):]}
	if r.name == "hello" {
		if s.unheard {
			return int64(0), nil
		}
		s.ear.says <- r.args[0].(string)
		return int64(1), nil
	}
	s.requests = append(s.requests, r)
	return s.answers(r.name, r.args)
}

func (s *stage) Prompt(context.Context) bool { return true }
func (s *stage) NoScript(error) bool         { return false }
func (s *stage) TryAgain(error) bool         { return false }
func (s *stage) Publishes() bool             { return true }
func (s *stage) Counts() bool                { return true }

// tooMany is a loop that does not stop for breath, in which fake time stands still.
const tooMany = 1000

func (s *stage) Subscribe(ctx context.Context, _ string) (Subscription, error) {
	s.mu.Lock()
	hung := s.hung
	s.dials = append(s.dials, time.Now())
	if len(s.dials) > tooMany {
		hung = make(chan struct{})
	}
	s.mu.Unlock()
	if hung != nil {
		select {
		case <-hung:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.refusal != nil {
		return nil, s.refusal
	}
	s.ear = &ear{says: make(chan string, 100), broken: make(chan struct{}), mute: s.mute}
	return s.ear, nil
}

// set changes the stage.
func (s *stage) set(change func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	change()
}

// say publishes text to whoever listens.
func (s *stage) say(text string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ear.says <- text
}

// cut breaks the connection of who listens.
func (s *stage) cut() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ear.Cut()
}

// latest returns the latest subscription.
func (s *stage) latest() *ear {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.ear
}

// last returns the latest request.
func (s *stage) last() request {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.requests[len(s.requests)-1]
}

// dialled returns how often since start a connection was tried.
func (s *stage) dialled(start time.Time) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := 0
	for _, at := range s.dials {
		if !at.Before(start) {
			n++
		}
	}
	return n
}

// An ear is a Subscription.
type ear struct {
	says   chan string
	broken chan struct{}
	once   sync.Once
	mute   bool
}

func (e *ear) Receive(timeout time.Duration) (string, error) {
	t := time.NewTimer(timeout)
	defer t.Stop()
	select {
	case <-e.broken:
		return "", io.EOF
	default:
	}
	select {
	case text := <-e.says:
		return text, nil
	case <-e.broken:
		return "", io.EOF
	case <-t.C:
		return "", context.DeadlineExceeded
	}
}

func (e *ear) Ping() {
	if !e.mute {
		e.says <- ""
	}
}

func (e *ear) Cut()   { e.once.Do(func() { close(e.broken) }) }
func (e *ear) Close() { e.Cut() }

// closed reports whether the connection has ended.
func (e *ear) closed() bool {
	select {
	case <-e.broken:
		return true
	default:
		return false
	}
}

// A seat is one who waits.
type seat struct {
	play  *play
	token string
	told  chan backend.Grant
}

func (p *play) seat(token string) *seat { return &seat{p, token, make(chan backend.Grant, 1)} }
