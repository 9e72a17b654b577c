package fuzz_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/dislock/dislock/backend"
	"github.com/dislock/dislock/internal/fuzz"
)

// generous is how long something may take that should happen at once. Above 10 s
// fuzzing gives up an input by itself, and does not say why.
const generous = 5 * time.Second

// FuzzRedigoReply looks for bytes on the wire that make more of an answer than there
// is in them: whatever a server says, a yes is a yes in so many words, and so is a no.
func FuzzRedigoReply(f *testing.F) { fuzzReply(f, fuzz.Redigo) }

// FuzzGoRedisReply is FuzzRedigoReply for the other driver.
func FuzzGoRedisReply(f *testing.F) { fuzzReply(f, fuzz.GoRedis) }

const (
	setNX = iota
	expireIfOwner
	deleteIfOwner
	join
	calls
)

func fuzzReply(f *testing.F, client func(addr string, inline bool) fuzz.Client) {
	for _, answer := range []string{
		":1\r\n", ":0\r\n", ":-1\r\n", ":9007199254740991\r\n", ":9007199254740992\r\n", ":", ":1", ":1\n", ":\r\n", ":x\r\n", ": 1\r\n", ":+1\r\n",
		"+1\r\n", "+\r\n", "$1\r\n1\r\n", "$1\r\n0\r\n", "$0\r\n\r\n", "$-1\r\n", "$-2\r\n", "$2\r\n1\r\n", "$1\r\n1xx", "=5\r\ntxt:1\r\n",
		"_\r\n", "#t\r\n", "#f\r\n", ",1\r\n", ",nan\r\n", "(1\r\n", "*-1\r\n", "*0\r\n", "~1\r\n:1\r\n", "*1\r\n:1\r\n",
		"*2\r\n$5\r\nTOKEN\r\n:1500\r\n", "*2\r\n+TOKEN\r\n+1500\r\n", "*2\r\n+TOKEN\r\n:-1\r\n", "*2\r\n+TOKEN\r\n-ERR TOKEN\r\n", "*2\r\n*0\r\n:1\r\n",
		"*5\r\n+TOKEN\r\n:1500\r\n:3\r\n:1795452429232598\r\n:1\r\n", "*5\r\n+TOKEN\r\n:1500\r\n:-3\r\n:1795452429232598\r\n:1\r\n", "*3\r\n+TOKEN\r\n:1\r\n:1\r\n",
		">2\r\n+message\r\n+TOKEN\r\n:1\r\n", ">1\r\n+TOKEN\r\n", "-ERR unknown TOKEN\r\n", "-TRYAGAIN TOKEN\r\n", "-MOVED 1 127.0.0.1:1\r\n", "-LOADING \r\n", "-READONLY \r\n", "-\r\n",
		"-ERR unknown command 'EVALSHA', with args beginning with: 'TOKEN\r\n", "-NOSCRIPT \r\n", "-NOSCRIPT\r\n", "", "\r\n", "\x00", "TOKEN\r\n", "!5\r\nTOKEN\r\n", "*1\r\n*1\r\n*1\r\n*1\r\n",
	} {
		for call := range byte(calls) {
			f.Add(call, []byte(answer), []byte{})
		}
		f.Add(byte(setNX|inline), []byte("-NOSCRIPT No matching script.\r\n"), []byte(answer))
	}
	var l *liar // the process's, once there is an input
	f.Fuzz(func(t *testing.T, call byte, evalsha, eval []byte) {
		if l == nil {
			l = newLiar(t)
		}
		l.check(t, client, call, evalsha, eval)
	})
}

// inline is the bit that says that calls run where they are made.
const inline = 1 << 2

func (l *liar) check(t *testing.T, client func(addr string, inline bool) fuzz.Client, call byte, evalsha, eval []byte) {
	token := backend.NewToken("worker\x00")
	evalsha = bytes.ReplaceAll(evalsha, []byte("TOKEN"), []byte(token))
	eval = bytes.ReplaceAll(eval, []byte("TOKEN"), []byte(token))
	if beyond.Match(evalsha) || beyond.Match(eval) || len(evalsha)+len(eval) > 10_000 {
		return
	}
	before := runtime.NumGoroutine()
	l.tell(evalsha, eval)
	c := client(l.listener.Addr().String(), call&inline != 0)
	ctx, cancel := backend.Bounded(context.Background(), generous)
	defer cancel()
	var fence uint64
	var err error
	start := time.Now()
	switch call %= calls; call {
	case setNX:
		fence, err = c.SetNX(ctx, "k", token, time.Minute)
	case expireIfOwner:
		err = c.ExpireIfOwner(ctx, "k", token, time.Minute)
	case deleteIfOwner:
		err = c.DeleteIfOwner(ctx, "k", token)
	case join: // as one who polls, which takes no more than an answer
		c.Line.(interface{ Close() error }).Close()
		fence, err = c.Join(ctx, "k", token, time.Minute, time.Minute, make(chan backend.Grant, 1))
	}
	took := time.Since(start)
	c.Close()

	answer, asked := evalsha, 1
	if l.count("EVAL") > 0 {
		answer = eval
	}
	if call == deleteIfOwner && bytes.HasPrefix(answer, []byte("-TRYAGAIN")) {
		asked = 2
	}
	if n := l.count("EVALSHA"); n > asked || l.count("EVAL") > asked {
		t.Errorf("call %d, answered %q: asked %d times", call, answer, n)
	}
	if took > generous/2 {
		t.Errorf("call %d, answered %q: it took %v", call, answer, took)
	}
	if wrong := judge(call, answer, fence, err); wrong != "" {
		t.Errorf("call %d, answered %q: %d, %#v: %s", call, answer, fence, err, wrong)
	}
	if secret := token[strings.LastIndexByte(token, ':')+1:]; err != nil && strings.Contains(err.Error(), secret) {
		t.Errorf("call %d, answered %q: the error shows the token: %v", call, answer, err)
	}
	for end := time.Now().Add(generous); runtime.NumGoroutine() > before; time.Sleep(50 * time.Microsecond) {
		if time.Now().After(end) {
			t.Fatalf("call %d, answered %q: %d goroutines, %d before", call, answer, runtime.NumGoroutine(), before)
		}
	}
}

// judge returns what is wrong with what was made of an answer. Who knows pushes may
// pass over those in front of it.
func judge(call byte, answer []byte, fence uint64, err error) (wrong string) {
	r, rest, whole := readReply(answer)
	wrong = judgeReply(call, r, whole, fence, err)
	for wrong != "" && whole && answer[0] == '>' {
		answer = rest
		r, rest, whole = readReply(answer)
		wrong = judgeReply(call, r, whole, fence, err)
	}
	if n, _ := r.number(); wrong != "" || !bytes.Equal(answer, fmt.Appendf(nil, ":%d\r\n", n)) {
		return wrong
	}
	if yes, no := means(call, r); yes && err != nil || no && !errors.Is(err, backend.ErrNotOwner) {
		return "that was definite"
	}
	return ""
}

func judgeReply(call byte, r reply, whole bool, fence uint64, err error) (wrong string) {
	yes, no := means(call, r)
	n, _ := r.number()
	var held *backend.HeldError
	switch {
	case err == nil && (!whole || !yes || asks(call) && fence != uint64(n)):
		return "that is no yes"
	case err != nil && fence != 0:
		return "a fence beside an error"
	case errors.Is(err, backend.ErrNotOwner) && (!whole || !no || asks(call)),
		errors.Is(err, backend.ErrHeld) && (!whole || !no || !asks(call)):
		return "that is no no"
	case errors.As(err, &held) && (held.TTL < 0 || held.Place < 0 || held.Owner != backend.Owner(r.list[0].text)):
		return "the refusal makes no sense"
	}
	return ""
}

// means returns whether r says yes to call, or no.
func means(call byte, r reply) (yes, no bool) {
	if n, ok := r.number(); ok {
		return asks(call) && 0 < n && n < 1<<53 || !asks(call) && n == 1, !asks(call) && n == 0
	}
	size := 2
	if call == join {
		size = 5
	}
	if !asks(call) || len(r.list) != size || r.list[0].kind != '$' {
		return false, false
	}
	for _, part := range r.list[1:] {
		if _, ok := part.number(); !ok {
			return false, false
		}
	}
	return false, true
}

func asks(call byte) bool { return call == setNX || call == join }
