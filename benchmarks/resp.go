package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"time"
)

// respTimeout bounds one command of ours; nothing that is measured uses it.
const respTimeout = 10 * time.Second

// A respConn is a connection without any client library, for what is measured
// beside the locks and must not depend on one of their drivers.
type respConn struct {
	net.Conn
	r *bufio.Reader
}

func dialRESP(addr string) (*respConn, error) {
	c, err := net.DialTimeout("tcp", addr, time.Second)
	if err != nil {
		return nil, err
	}
	return &respConn{c, bufio.NewReaderSize(c, 64<<10)}, nil
}

func (c *respConn) close() { _ = c.Conn.Close() }

// do sends a command whose answer is a string, a status or a number.
func (c *respConn) do(args ...string) (string, error) {
	if err := c.SetDeadline(time.Now().Add(respTimeout)); err != nil {
		return "", err
	}
	var b strings.Builder
	fmt.Fprintf(&b, "*%d\r\n", len(args))
	for _, arg := range args {
		fmt.Fprintf(&b, "$%d\r\n%s\r\n", len(arg), arg)
	}
	if _, err := io.WriteString(c.Conn, b.String()); err != nil {
		return "", err
	}
	line, err := c.line()
	if err != nil {
		return "", err
	}
	switch line[0] {
	case '-':
		return "", errors.New(line[1:])
	case '$':
		n, err := strconv.Atoi(line[1:])
		if err != nil || n < 0 {
			return "", err
		}
		body := make([]byte, n+2)
		_, err = io.ReadFull(c.r, body)
		return string(body[:n]), err
	default:
		return line[1:], nil
	}
}

func (c *respConn) line() (string, error) {
	line, err := c.r.ReadString('\n')
	if err != nil {
		return "", err
	}
	if line = strings.TrimRight(line, "\r\n"); line == "" {
		return "", errors.New("an empty line where an answer was expected")
	}
	return line, nil
}

// pings adds n round trips, each of them after a pause.
func (c *respConn) pings(h *histogram, n int, pause time.Duration) error {
	for range n {
		time.Sleep(pause)
		took, err := c.ping()
		if err != nil {
			return err
		}
		h.add(took)
	}
	return nil
}

// ping is the time of one round trip, in nanoseconds.
func (c *respConn) ping() (int64, error) {
	start := now()
	_, err := c.do("PING")
	return now() - start, err
}
