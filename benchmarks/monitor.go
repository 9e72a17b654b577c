package main

import (
	"math"
	"strconv"
	"strings"
	"time"
)

// A monitor counts what clients send to the server, as the server tells it. It
// slows the server down, so nothing is timed meanwhile.
type monitor struct {
	conn *respConn
	done chan struct{}
	seen []int64 // when, by the time of day in microseconds; read after done
}

// endOfCount is a command that nobody sends: when it shows, all that was sent
// before it has shown.
const endOfCount = "end of count"

func watch(addr string) (*monitor, error) {
	conn, err := dialRESP(addr)
	if err != nil {
		return nil, err
	}
	if _, err := conn.do("MONITOR"); err != nil {
		conn.close()
		return nil, err
	}
	if err := conn.SetDeadline(time.Now().Add(2 * time.Minute)); err != nil {
		conn.close()
		return nil, err
	}
	m := &monitor{conn: conn, done: make(chan struct{})}
	go m.read()
	return m, nil
}

func (m *monitor) read() {
	defer close(m.done)
	for {
		line, err := m.conn.line()
		if err != nil || strings.Contains(line, `"`+endOfCount+`"`) {
			return
		}
		if at, ok := request(line); ok {
			m.seen = append(m.seen, at)
		}
	}
}

// greetings are what a client library sends for its connection's sake.
var greetings = map[string]bool{
	"HELLO": true, "AUTH": true, "SELECT": true, "CLIENT": true, "PING": true, "COMMAND": true,
	"INFO": true, "CLUSTER": true, "READONLY": true,
}

// request parses a line like
//
//	+1700000000.123456 [0 127.0.0.1:40000] "SET" "key" "value"
//
// and is false if that is not a lock's request to the server: a script's command,
// which has "lua" where the address is, or a greeting.
func request(line string) (micros int64, ok bool) {
	stamp, rest, _ := strings.Cut(strings.TrimPrefix(line, "+"), " ")
	seconds, fraction, _ := strings.Cut(stamp, ".")
	micros, err := strconv.ParseInt(seconds+fraction, 10, 64)
	if err != nil || len(fraction) != 6 {
		return 0, false
	}
	source, command, _ := strings.Cut(rest, "] ")
	name, _, _ := strings.Cut(strings.TrimPrefix(command, `"`), `"`)
	if strings.HasSuffix(source, " lua") || greetings[strings.ToUpper(name)] {
		return 0, false
	}
	return micros, true
}

// count ends the monitor and is the number of requests from start to end, which
// are instants of the common clock.
func (m *monitor) count(s *server, start, end int64) (float64, error) {
	defer m.conn.close()
	if _, err := s.ask("ECHO", endOfCount); err != nil {
		return math.NaN(), err
	}
	select {
	case <-m.done:
	case <-time.After(respTimeout):
		m.conn.close()
		<-m.done
	}
	offset := wallOffset()
	from, to := (start+offset)/1000, (end+offset)/1000
	n := 0
	for _, at := range m.seen {
		if from <= at && at < to {
			n++
		}
	}
	return float64(n), nil
}
