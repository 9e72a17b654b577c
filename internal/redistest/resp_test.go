package redistest

import (
	"bufio"
	"strings"
	"testing"
	"testing/iotest"
)

func TestFrames(t *testing.T) {
	t.Parallel()
	frames := []string{
		"*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$4\r\n\r\n\r\n\r\n",
		"PING\r\n",
		"+OK\r\n", "-ERR no\r\n", ":1\r\n", "$-1\r\n", "*-1\r\n", "$0\r\n\r\n", "*0\r\n",
		"*2\r\n*2\r\n:1\r\n$1\r\na\r\n%1\r\n+k\r\n~2\r\n:1\r\n:2\r\n",
		"_\r\n", "#t\r\n", ",1.5\r\n", "(12345678901234567890\r\n",
		"!5\r\nERR x\r\n", "=5\r\ntxt:x\r\n",
		"|1\r\n+ttl\r\n:3600\r\n*1\r\n:1\r\n",
		">2\r\n$7\r\nmessage\r\n$1\r\nm\r\n",
	}
	// One byte per read: a frame is never complete just because a read was.
	r := bufio.NewReader(iotest.OneByteReader(strings.NewReader(strings.Join(frames, ""))))
	for _, want := range frames {
		got, err := appendFrame(nil, r)
		if err != nil || string(got) != want {
			t.Fatalf("got %q, %v; want %q", got, err, want)
		}
	}
	for _, want := range frames {
		for n := range len(want) - 1 {
			got, err := appendFrame(nil, bufio.NewReader(strings.NewReader(want[:n])))
			if err == nil {
				t.Errorf("%q passes for a complete frame: %q", want[:n], got)
			}
		}
	}
	if got, err := appendFrame(nil, bufio.NewReader(strings.NewReader("$?\r\n;0\r\n"))); err == nil {
		t.Errorf("a streamed string passes as %q", got)
	}
}

func TestWord(t *testing.T) {
	t.Parallel()
	for frame, want := range map[string]string{
		"*2\r\n$3\r\nGET\r\n$1\r\nk\r\n":      "GET",
		">2\r\n$7\r\nmessage\r\n$1\r\nm\r\n":  "message",
		"PING\r\n":                            "PING",
		"get k\r\n":                           "get",
		"\r\n":                                "",
		"*0\r\n":                              "",
		"*1\r\n:1\r\n":                        "",
		"*2\r\n*1\r\n:1\r\n$7\r\nmessage\r\n": "",
		"*1\r\n$0\r\n\r\n":                    "",
	} {
		if got := word([]byte(frame)); got != want {
			t.Errorf("word(%q) = %q, want %q", frame, got, want)
		}
	}
}
