package fuzz_test

import (
	"bufio"
	"io"
	"net"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/dislock/dislock/internal/fuzz"
)

// A liar is a server that greets clients as Redis does, in RESP3 if they like, and
// answers scripts with what it was given, whatever that is. Then it hangs up.
type liar struct {
	listener net.Listener
	conns    sync.WaitGroup

	mu       sync.Mutex
	answers  map[string][]byte // to EVALSHA and EVAL
	requests map[string]int
}

// newLiar starts a liar, which ends with the process.
func newLiar(tb testing.TB) *liar {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		tb.Fatal(err)
	}
	l := &liar{listener: listener}
	accepting := make(chan struct{})
	go func() {
		defer close(accepting)
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			l.conns.Go(func() { l.serve(conn) })
		}
	}()
	fuzz.AtEnd(func() {
		listener.Close()
		<-accepting
		l.conns.Wait()
	})
	return l
}

// tell sets what to answer, and forgets the requests so far.
func (l *liar) tell(evalsha, eval []byte) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.answers = map[string][]byte{"EVALSHA": evalsha, "EVAL": eval}
	l.requests = make(map[string]int)
}

// count returns how often command arrived since tell.
func (l *liar) count(command string) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.requests[command]
}

func (l *liar) serve(conn net.Conn) {
	defer conn.Close()
	r := bufio.NewReader(conn)
	for {
		request, err := readRequest(r)
		if err != nil {
			return
		}
		answer, last := l.answer(request)
		if _, err := conn.Write(answer); err != nil {
			return
		}
		if last {
			// Only its own half: the client shall find out by reading.
			_ = conn.(*net.TCPConn).CloseWrite()
			_, _ = io.Copy(io.Discard, r)
			return
		}
	}
}

// noScript is the answer after which a client sends EVAL.
var noScript = regexp.MustCompile(`^-NOSCRIPT [^\n]*\r\n`)

// answer returns the answer to a request, and whether it is the last one on its
// connection.
func (l *liar) answer(request []string) (answer []byte, last bool) {
	command := strings.ToUpper(request[0])
	switch command {
	case "HELLO":
		return []byte("%3\r\n+server\r\n+redis\r\n+version\r\n+7.0.15\r\n+proto\r\n:3\r\n"), false
	case "EVALSHA", "EVAL":
		l.mu.Lock()
		defer l.mu.Unlock()
		l.requests[command]++
		answer = l.answers[command]
		goesOn := command == "EVALSHA" && noScript.Match(answer)
		return answer, !goesOn
	default:
		return []byte("+OK\r\n"), false
	}
}

// readRequest reads one request, an array of strings.
func readRequest(r *bufio.Reader) ([]string, error) {
	n, err := readLength(r)
	if err != nil {
		return nil, err
	}
	request := make([]string, n)
	for i := range request {
		size, err := readLength(r)
		if err != nil {
			return nil, err
		}
		arg := make([]byte, size+len("\r\n"))
		if _, err := io.ReadFull(r, arg); err != nil {
			return nil, err
		}
		request[i] = string(arg[:size])
	}
	return request, nil
}

func readLength(r *bufio.Reader) (int, error) {
	line, err := r.ReadString('\n')
	if err != nil {
		return 0, err
	}
	return strconv.Atoi(strings.TrimSpace(line[1:]))
}
