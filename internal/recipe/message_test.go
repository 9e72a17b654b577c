package recipe

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/dislock/dislock/backend"
)

func TestParseMessage(t *testing.T) {
	for text, want := range map[string]message{
		"7 8 token": {7, 8, "token"},
		"7 8 a token: with\x00 all\n kinds \xff ": {7, 8, "a token: with\x00 all\n kinds \xff "},
		"9007199254740991 1795452429232598 t":     {maxFence, 1_795_452_429_232_598, "t"},
		"7 8 ":                                    {7, 8, ""},
	} {
		if got, ok := parseMessage(text); !ok || got != want {
			t.Errorf("parseMessage(%q) = %v, %v, want %v", text, got, ok, want)
		}
	}
	for _, text := range []string{
		"", " ", "  ", "7", "7 8", "7  token", " 8 token", "x 8 token", "7 x token", "0 8 token", "-7 8 token",
		"9007199254740992 8 token", "18446744073709551616 8 token", "7 9223372036854775808 token", "7.0 8 token",
		"hello 7 8 token",
	} {
		if got, ok := parseMessage(text); ok {
			t.Errorf("parseMessage(%q) = %v, want none", text, got)
		}
	}
}

func FuzzParseMessage(f *testing.F) {
	f.Add("7 8 token", uint64(7), int64(8), "token")
	f.Add("hello ABC", uint64(maxFence), int64(-1), " \x00:\xff")
	f.Add("7 8", uint64(0), int64(1<<62), "")
	f.Fuzz(func(t *testing.T, text string, fence uint64, at int64, token string) {
		if m, ok := parseMessage(text); ok {
			if m.fence == 0 || m.fence > maxFence || !strings.HasSuffix(text, " "+m.token) {
				t.Errorf("parseMessage(%q) = %v", text, m)
			}
		}
		m, ok := parseMessage(fmt.Sprintf("%d %d %s", fence, at, token))
		if valid := 0 < fence && fence <= maxFence; ok != valid || valid && m != (message{fence, at, token}) {
			t.Errorf("fence %d, at %d, token %q: got %v, %v", fence, at, token, m, ok)
		}
	})
}

// FuzzBegan looks for an answer and a grant, on a server whose clock drifts by up
// to a hundredth, that would be dated later than the grant was made.
func FuzzBegan(f *testing.F) {
	f.Add(int64(0), int64(0), int64(0), int64(0))
	f.Add(int64(1_000), int64(20_000_000), int64(5_000), int64(99))
	f.Add(int64(1_000), int64(20_000_000), int64(1_000_000), int64(99))
	f.Add(int64(3), int64(1), int64(1<<40), int64(-99))
	f.Fuzz(func(t *testing.T, there, waits, back, drift int64) {
		const most = 1 << 40 // twelve days, in microseconds
		if there < 0 || waits < 0 || back < 0 || max(there, waits, back) > most || drift < -99 || drift > 99 {
			t.Skip()
		}
		us := func(n int64) time.Duration { return time.Duration(n) * time.Microsecond }
		sent := time.Now()
		asked := int64(1_795_452_429_232_598)
		granted := sent.Add(us(there + waits))
		m := message{fence: 1, at: asked + waits + waits/10_000*drift, token: "t"}
		began, ok := m.began(sent, asked, granted.Add(us(back)))
		if ok && began.After(granted.Add(time.Microsecond)) {
			t.Errorf("dated %v after it was made", began.Sub(granted))
		}
		if !ok && drift <= 0 {
			t.Error("not dated, though no clock was set")
		}
	})
}

func TestDecodeJoin(t *testing.T) {
	const now = int64(1_795_452_429_232_598)
	token := backend.NewToken("worker-7")
	for _, reply := range []any{
		[]any{token, int64(1500), int64(3), now, int64(1)},
		[]any{[]byte(token), "1500", []byte("3"), fmt.Sprint(now), "1"},
	} {
		_, at, err := decodeJoin(reply)
		held, ok := err.(*backend.HeldError)
		if !ok || at != now || *held != (backend.HeldError{Owner: "worker-7", TTL: 1500 * time.Millisecond, Place: 3, New: true}) {
			t.Errorf("%v: %#v at %d", reply, err, at)
		}
	}
	if _, _, err := decodeJoin([]any{token, int64(1), int64(3), now, int64(0)}); err == nil || err.(*backend.HeldError).New {
		t.Errorf("%#v, want a place that is not new", err)
	}
	for _, reply := range []any{int64(7), "7", []byte("7")} {
		if fence, _, err := decodeJoin(reply); fence != 7 || err != nil {
			t.Errorf("%T: %d, %v, want fence 7", reply, fence, err)
		}
	}
	const secret = "worker-7:SECRET"
	for _, reply := range []any{
		nil, true, 1.5, map[any]any{secret: secret}, []any(nil), []any{},
		int64(0), int64(-1), int64(1 << 53),
		[]any{secret, int64(1)}, // that of acquire
		[]any{secret, int64(1), int64(1), now},
		[]any{nil, int64(1), int64(1), now, int64(1)},
		[]any{secret, secret, int64(1), now, int64(1)},
		[]any{secret, int64(1), secret, now, int64(1)},
		[]any{secret, int64(1), int64(1), secret, int64(1)},
		[]any{secret, int64(1), int64(1), now, nil},
		[]any{secret, int64(1), int64(1), now, int64(1), int64(1)},
	} {
		_, _, err := decodeJoin(reply)
		checkUnknown(t, reply, err, secret)
	}
}

func FuzzDecodeJoin(f *testing.F) {
	f.Add("host:SECRET", "30000", int64(3), int64(1_795_452_429_232_598), uint8(0))
	f.Add("host:SECRET", "-1", int64(-1), int64(0), uint8(1))
	f.Add("7", "", int64(0), int64(-1), uint8(4))
	f.Fuzz(func(t *testing.T, a, b string, m, n int64, form uint8) {
		reply := [...]any{
			[]any{a, b, m, n, m}, []any{[]byte(a), n, b, m, n}, []any{a, m, n, b}, []any{a, m}, a, n, []any{a, m, n, a, b, n},
		}[form%7]
		fence, now, err := decodeJoin(reply)
		list, isList := reply.([]any)
		switch held, ok := err.(*backend.HeldError); {
		case err == nil && (isList || fence < 1 || fence > maxFence):
			t.Errorf("decodeJoin(%#v) = fence %d", reply, fence)
		case ok && (len(list) != 5 || held.TTL < 0):
			t.Errorf("decodeJoin(%#v) = %#v", reply, held)
		case err != nil && (fence != 0 || !ok && now != 0):
			t.Errorf("decodeJoin(%#v) = %d, %d beside %v", reply, fence, now, err)
		case err != nil && !ok && len(a) > 40 && strings.Contains(err.Error(), a):
			t.Errorf("the error shows the reply: %v", err)
		}
	})
}
