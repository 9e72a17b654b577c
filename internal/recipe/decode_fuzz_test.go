package recipe

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"math/big"
	"strings"
	"testing"

	"github.com/dislock/dislock/backend"
)

const (
	fuzzSecret = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	fuzzToken  = "worker-7:" + fuzzSecret
)

// A grower makes of bytes whatever a client library could make of a reply.
type grower []byte

func (g *grower) next() (b byte) {
	if len(*g) > 0 {
		b, *g = (*g)[0], (*g)[1:]
	}
	return b
}

func (g *grower) take(n int) []byte {
	n = min(n, len(*g))
	taken := (*g)[:n:n]
	*g = (*g)[n:]
	return taken
}

func (g *grower) int64() int64 {
	var b [8]byte
	copy(b[:], g.take(8))
	return int64(binary.LittleEndian.Uint64(b[:]))
}

// Those that make sense come first: of the bytes that fuzzing tries most are small.
func (g *grower) value(depth int) any {
	switch g.next() % 18 {
	case 0:
		return int64(int8(g.next()))
	case 1:
		return g.int64()
	case 2:
		return fmt.Sprint(int8(g.next()))
	case 3:
		return fmt.Append(nil, g.int64())
	case 4:
		return fuzzToken
	case 5:
		return []byte(fuzzToken)
	case 6, 7: // as acquire and join refuse
		n := 2 + 3*int(g.next()%2)
		list := []any{fuzzToken}
		for len(list) < n {
			list = append(list, g.int64()>>(g.next()%64))
		}
		return list
	case 8, 9:
		if depth > 4 {
			return []any(nil)
		}
		list := make([]any, g.next()%7)
		for i := range list {
			list[i] = g.value(depth + 1)
		}
		return list
	case 10:
		return string(g.take(int(g.next())))
	case 11:
		return g.take(int(g.next()))
	case 12:
		return math.Float64frombits(uint64(g.int64()))
	case 13:
		return g.next()%2 == 0
	case 14:
		return errors.New(fuzzToken)
	case 15:
		return map[any]any{fuzzToken: g.int64()}
	case 16:
		return new(big.Int).SetInt64(g.int64())
	default:
		return nil
	}
}

// FuzzDecode holds that a reply is definite only if it is of the form that a script
// has: of no other does it make a fence, an answer or a HeldError. And that none
// shows what is in it.
func FuzzDecode(f *testing.F) {
	f.Add([]byte{0, 1})
	f.Add([]byte{0, 0})
	f.Add([]byte{1, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x1f})
	f.Add([]byte{2, 1})
	f.Add([]byte{3, 7})
	f.Add([]byte{6, 0, 100, 0})                                                                                                               // held
	f.Add([]byte("\x06\x00\xff\xff\xff\xff\xff\xff\xff\xff\x00"))                                                                             // held, for ever
	f.Add([]byte("\x06\x01\x64\x00\x00\x00\x00\x00\x00\x00\x00\x03\x00\x00\x00\x00\x00\x00\x00\x00\x07\x00\x00\x00\x00\x00\x00\x00\x00\x01")) // in line
	f.Add([]byte{8, 2, 5, 0, 9})
	f.Add([]byte{8, 5, 5, 0, 9, 0, 1, 0, 1, 0, 1})
	f.Add([]byte{8, 1, 8, 2, 4, 0, 1})
	f.Add([]byte{10, 4, '0', 'x', '1', '0'})
	for kind := range byte(7) {
		f.Add([]byte{11 + kind, 1, '1'})
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		g := grower(data)
		reply := g.value(0)

		fence, err := decodeAcquire(reply)
		checkTaken(t, "decodeAcquire", reply, 2, fence, err)
		fence, now, err := decodeJoin(reply)
		checkTaken(t, "decodeJoin", reply, 5, fence, err)
		if now != 0 && !errors.Is(err, backend.ErrHeld) {
			t.Errorf("decodeJoin(%#v): the server's time %d without a refusal", reply, now)
		}

		n, isNumber := number(reply)
		err = decodeOwner(release, reply)
		if (err == nil) != (isNumber && n == 1) || errors.Is(err, backend.ErrNotOwner) != (isNumber && n == 0) {
			t.Errorf("decodeOwner(%#v) = %v", reply, err)
		}
		checkSecret(t, reply, err)
	})
}

// checkTaken checks what decode made of the reply to a question for the key. A
// refusal is a list of a holder and size-1 numbers.
func checkTaken(t *testing.T, decode string, reply any, size int, fence uint64, err error) {
	t.Helper()
	checkSecret(t, reply, err)
	n, isNumber := number(reply)
	yes := isNumber && 1 <= n && n <= maxFence
	if (err == nil) != yes || err == nil && fence != uint64(n) || err != nil && fence != 0 {
		t.Errorf("%s(%#v) = %d, %v", decode, reply, fence, err)
	}
	if errors.Is(err, backend.ErrNotOwner) {
		t.Errorf("%s(%#v) = %v", decode, reply, err)
	}
	if !errors.Is(err, backend.ErrHeld) {
		return
	}
	list, _ := reply.([]any)
	if len(list) != size {
		t.Errorf("%s(%#v) = %v", decode, reply, err)
		return
	}
	holder, ok := text(list[0])
	for _, v := range list[1:] {
		_, isNumber := number(v)
		ok = ok && isNumber
	}
	var held *backend.HeldError
	if !errors.As(err, &held) || !ok || held.TTL < 0 || held.Place < 0 || held.Owner != backend.Owner(holder) {
		t.Errorf("%s(%#v) = %#v", decode, reply, err)
	}
}

func checkSecret(t *testing.T, reply any, err error) {
	t.Helper()
	if err != nil && strings.Contains(err.Error(), fuzzSecret) {
		t.Errorf("reply %#v: the error shows the token: %v", reply, err)
	}
}
