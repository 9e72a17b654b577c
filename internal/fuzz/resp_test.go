package fuzz_test

import (
	"bytes"
	"regexp"
	"strconv"
)

// beyond are replies of which nothing can be said here, because no server sends them
// and the client libraries do not bear them. At a length beyond their memory both
// panic, or the runtime does; at a map whose key is a list go-redis does, and
// redigo takes a number beyond 64 bits for another one.
var beyond = regexp.MustCompile(`(?:^|\n)(?:[*$=!~>][-+]?\d{5,}|[%|]|:[-+]?\d{19,})`)

// A reply is what bytes mean by the specification of RESP3, as far as a definite
// answer can be made of it. It is read here once more, to have something to hold
// the libraries against.
type reply struct {
	kind byte // ':' a number, '$' a text, '*' a list; anything else is 0
	n    int64
	text string
	list []reply
}

// readReply returns the first reply in b, and false if there is none in one piece.
func readReply(b []byte) (r reply, rest []byte, ok bool) {
	line, rest, ok := bytes.Cut(b, []byte("\r\n"))
	if !ok || len(line) == 0 {
		return reply{}, nil, false
	}
	n, err := strconv.ParseInt(string(line[1:]), 10, 64)
	switch line[0] {
	case ':':
		return reply{kind: ':', n: n}, rest, err == nil
	case '+':
		return reply{kind: '$', text: string(line[1:])}, rest, true
	case '$', '=':
		if err != nil || n < 0 || n > int64(len(rest))-2 { // go-redis does not look what the two are
			return reply{}, rest, false
		}
		text := string(rest[:n])
		if line[0] == '=' {
			if n < 4 || text[3] != ':' {
				return reply{}, rest, false
			}
			text = text[4:]
		}
		return reply{kind: '$', text: text}, rest[n+2:], true
	case '*', '~', '>':
		r.kind = '*'
		for range n {
			var part reply
			if part, rest, ok = readReply(rest); !ok {
				return reply{}, rest, false
			}
			r.list = append(r.list, part)
		}
		return r, rest, err == nil && n >= 0
	case '-', '_', '#', ',', '(':
		return reply{}, rest, true
	}
	return reply{}, rest, false
}

// number returns the number that r is or spells.
func (r reply) number() (int64, bool) {
	if r.kind == '$' {
		n, err := strconv.ParseInt(r.text, 10, 64)
		return n, err == nil
	}
	return r.n, r.kind == ':'
}
