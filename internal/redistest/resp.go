package redistest

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// appendFrame reads one complete RESP2 or RESP3 value, with all that is nested
// in it, and appends its bytes to buf unchanged. An attribute belongs to the
// value that it stands before. An inline command, a line without a type, is a
// frame as well. The streamed types of RESP3, which Redis does not send, are an
// error.
func appendFrame(buf []byte, r *bufio.Reader) ([]byte, error) {
	line, err := r.ReadBytes('\n')
	if err != nil {
		return nil, err
	}
	buf = append(buf, line...)
	if !bytes.ContainsRune([]byte("$=!*~>%|"), rune(line[0])) {
		return buf, nil
	}
	n, err := strconv.Atoi(string(bytes.TrimSpace(line[1:])))
	if err != nil {
		return nil, fmt.Errorf("no length in %q: %w", line, err)
	}
	if n < 0 { // the null string and the null array of RESP2
		return buf, nil
	}
	var nested int
	switch line[0] {
	case '$', '=', '!':
		body := make([]byte, n+len("\r\n"))
		_, err := io.ReadFull(r, body)
		return append(buf, body...), err
	case '*', '~', '>':
		nested = n
	case '%':
		nested = 2 * n
	case '|':
		nested = 2*n + 1
	}
	for range nested {
		if buf, err = appendFrame(buf, r); err != nil {
			return nil, err
		}
	}
	return buf, nil
}

// word returns the first word of a request or of an array of strings: the name
// of a command, or what kind of message a push is.
func word(frame []byte) string {
	if frame[0] != '*' && frame[0] != '>' {
		name, _, _ := bytes.Cut(bytes.TrimSpace(frame), []byte(" "))
		return string(name)
	}
	lines := bytes.SplitN(frame, []byte("\r\n"), 4)
	if len(lines) < 4 || !bytes.HasPrefix(lines[1], []byte("$")) {
		return ""
	}
	return string(lines[2])
}

// isSubscribe reports whether a request starts or ends a subscription.
func isSubscribe(request []byte) bool {
	return strings.HasSuffix(strings.ToLower(word(request)), "subscribe")
}

// isPush reports whether a RESP2 reply is one that a subscribed connection
// receives unasked.
func isPush(reply []byte) bool {
	kind := word(reply)
	return reply[0] == '*' && (strings.HasSuffix(kind, "subscribe") || strings.HasSuffix(kind, "message"))
}
