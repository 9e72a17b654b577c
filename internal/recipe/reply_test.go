package recipe

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/dislock/dislock/backend"
)

func TestDecodeAcquire(t *testing.T) {
	const fence = 1_795_452_429_232_598
	for _, reply := range []any{int64(fence), "1795452429232598", []byte("1795452429232598")} {
		if got, err := decodeAcquire(reply); got != fence || err != nil {
			t.Errorf("%T: %d, %v; want %d", reply, got, err, uint64(fence))
		}
	}
	token := backend.NewToken("worker-7")
	for _, reply := range []any{
		[]any{token, int64(1500)}, []any{[]byte(token), int64(1500)}, []any{token, "1500"},
	} {
		_, err := decodeAcquire(reply)
		var held *backend.HeldError
		if !errors.As(err, &held) || held.Owner != "worker-7" || held.TTL != 1500*time.Millisecond {
			t.Errorf("%v: %#v, want it held by worker-7 for another 1.5s", reply, err)
		}
	}
	var held *backend.HeldError
	if _, err := decodeAcquire([]any{"foreign", int64(-1)}); !errors.As(err, &held) || *held != (backend.HeldError{}) {
		t.Errorf("a foreign holder without expiry: %#v, want a HeldError that knows nothing", err)
	}
}

func TestDecodeOwner(t *testing.T) {
	for _, reply := range []any{int64(1), "1", []byte("1")} {
		if err := decodeOwner(release, reply); err != nil {
			t.Errorf("%T 1: %v, want nil", reply, err)
		}
	}
	for _, reply := range []any{int64(0), "0", []byte("0")} {
		if err := decodeOwner(release, reply); !errors.Is(err, backend.ErrNotOwner) {
			t.Errorf("%T 0: %v, want ErrNotOwner", reply, err)
		}
	}
}

// TestUnexpectedReplyIsUnknown covers the forms that the fuzz targets do not
// make.
func TestUnexpectedReplyIsUnknown(t *testing.T) {
	const secret = "worker-7:SECRET"
	for _, reply := range []any{
		nil, true, 1.5, uint64(1), errors.New(secret), map[any]any{secret: secret}, struct{}{},
		[]any(nil), []any{}, []any{secret}, []any{secret, nil}, []any{nil, int64(1)},
		[]any{secret, int64(1), int64(1)}, []any{int64(1), int64(1)}, []any{secret, secret},
	} {
		_, err := decodeAcquire(reply)
		checkUnknown(t, reply, err, secret)
		checkUnknown(t, reply, decodeOwner(extend, reply), secret)
	}
	for _, n := range []int64{0, -1, 1 << 53, 1<<63 - 1, -1 << 63} {
		_, err := decodeAcquire(n)
		checkUnknown(t, n, err, secret)
	}
}

func checkUnknown(t *testing.T, reply any, err error, secret string) {
	t.Helper()
	if err == nil || errors.Is(err, backend.ErrHeld) || errors.Is(err, backend.ErrNotOwner) {
		t.Errorf("reply %v: error %v, want one that says that nobody knows", reply, err)
	} else if strings.Contains(err.Error(), secret) {
		t.Errorf("reply %v: the error shows its contents: %v", reply, err)
	}
}

func FuzzReply(f *testing.F) {
	f.Add("1", "30000", int64(1), uint8(0))
	f.Add("host:SECRET", "-1", int64(-1), uint8(3))
	f.Add("9007199254740992", "", int64(1<<53), uint8(6))
	f.Fuzz(func(t *testing.T, a, b string, n int64, form uint8) {
		reply := [...]any{n, a, []byte(a), []any{a, n}, []any{[]byte(a), n}, []any{a, b}, []any{a}, nil}[form%8]
		fence, err := decodeAcquire(reply)
		held := errors.Is(err, backend.ErrHeld)
		if pair, ok := reply.([]any); err == nil && (fence < 1 || fence > maxFence || ok) || held && (!ok || len(pair) != 2) {
			t.Errorf("decodeAcquire(%#v) = %d, %v", reply, fence, err)
		}
		if err != nil && !held && errors.Is(err, backend.ErrNotOwner) {
			t.Errorf("decodeAcquire(%#v): %v", reply, err)
		}
		value, isNumber := number(reply)
		err = decodeOwner(extend, reply)
		if (err == nil) != (isNumber && value == 1) || errors.Is(err, backend.ErrNotOwner) != (isNumber && value == 0) {
			t.Errorf("decodeOwner(%#v) = %v", reply, err)
		}
		if err != nil && len(a) > 40 && strings.Contains(err.Error(), a) {
			t.Errorf("the error shows the reply: %v", err)
		}
	})
}
