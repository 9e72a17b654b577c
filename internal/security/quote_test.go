package security

import (
	"errors"
	"net"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gomodule/redigo/redis"

	"github.com/dislock/dislock/backend"
)

// TestServerThatQuotes is about one, or a proxy, that answers every command with
// what it was sent, in the ways in which servers and proxies speak.
func TestServerThatQuotes(t *testing.T) {
	t.Parallel()
	for name, reply := range map[string]func(args []string) string{
		"in an error":      func(args []string) string { return "-ERR what is " + strings.Join(args, " ") + "\r\n" },
		"in quotes":        func(args []string) string { return "-ERR what is " + strconv.Quote(strings.Join(args, "' '")) + "\r\n" },
		"in a redirection": func(args []string) string { return "-MOVED 1 " + strings.Join(args, ",") + ":1\r\n" },
		"as Redis does": func(args []string) string {
			text := "-ERR unknown command 'EVALSHA', with args beginning with: "
			for _, arg := range args[1:] {
				text += "'" + arg + "' "
			}
			return text[:len(text)-10] + "\r\n"
		},
		"in a bad answer": func(args []string) string { return "?" + strings.Join(args, " ") + "\r\n" },
		"in a status":     func(args []string) string { return "+" + strings.Join(args, " ") + "\r\n" },
		"in a string":     func(args []string) string { return bulk(strings.Join(args, " ")) },
		"in an array":     func(args []string) string { return "*1\r\n" + bulk(strings.Join(args, " ")) },
		"as the holder":   func(args []string) string { return "*2\r\n" + bulk(strings.Join(args, " ")) + bulk(args[len(args)-1]) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			addr := quote(t, reply)
			eachDriver(t, func(t *testing.T, open func(testing.TB, login) line) {
				e := new(evidence)
				b := newSpy(open(t, login{addr: addr, logger: e.logger()}))
				token := backend.NewToken(`lab"el`)
				b.note(token)
				ctx := bounded(t)
				_, err1 := b.SetNX(ctx, "k", token, time.Second)
				_, err2 := b.Join(ctx, "k", token, time.Second, time.Second, make(chan backend.Grant, 1))
				err3 := b.ExpireIfOwner(ctx, "k", token, time.Second)
				err4 := b.DeleteIfOwner(ctx, "k", token)
				for _, err := range []error{err1, err2, err3, err4} {
					if err == nil || errors.Is(err, backend.ErrNotOwner) {
						t.Errorf("%v, want an error that says no more than that", err)
					}
					e.error(err)
				}
				e.clean(t, b.tokens())
			})
		})
	}
}

func bulk(s string) string { return "$" + strconv.Itoa(len(s)) + "\r\n" + s + "\r\n" }

// quote starts a server that greets clients and answers scripts by reply.
func quote(t *testing.T, reply func(args []string) string) (addr string) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	t.Cleanup(func() { l.Close(); wg.Wait() })
	wg.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			wg.Go(func() {
				defer c.Close()
				answer(redis.NewConn(c, 20*time.Second, time.Second), c, reply)
			})
		}
	})
	return l.Addr().String()
}

// answer reads requests, which look like a server's replies, until the client has gone.
func answer(requests redis.Conn, to net.Conn, reply func(args []string) string) {
	for {
		args, err := redis.Strings(requests.Receive())
		if err != nil || len(args) == 0 {
			return
		}
		text := "-ERR unknown command\r\n"
		if name := strings.ToUpper(args[0]); name == "EVALSHA" || name == "EVAL" {
			text = reply(args)
		}
		if _, err := to.Write([]byte(text)); err != nil {
			return
		}
	}
}
