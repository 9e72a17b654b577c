package recipe

import (
	"errors"
	"fmt"
	"strconv"

	"github.com/dislock/dislock/backend"
)

// maxFence is the largest fence that Lua's doubles can tell from its neighbours.
const maxFence = 1<<53 - 1

// decodeAcquire returns the fence, or a [*backend.HeldError]. A reply of any other
// form is an outcome that nobody knows; its contents may be a token and stay out
// of the error.
func decodeAcquire(reply any) (uint64, error) {
	if held, ok := reply.([]any); ok {
		if len(held) == 2 {
			holder, isText := text(held[0])
			ms, isNumber := number(held[1])
			if isText && isNumber {
				return 0, backend.Held(holder, duration(ms))
			}
		}
		return 0, fmt.Errorf("redis: acquire: unexpected reply, an array of %d", len(held))
	}
	fence, ok := number(reply)
	if !ok {
		return 0, unexpected(acquire, reply)
	}
	if fence < 1 || fence > maxFence {
		return 0, fmt.Errorf("redis: acquire: the fence counter is out of range: %d", fence)
	}
	return uint64(fence), nil
}

// decodeJoin returns the fence, or a [*backend.HeldError] and the server's time in
// microseconds.
func decodeJoin(reply any) (fence uint64, now int64, err error) {
	held, ok := reply.([]any)
	if !ok || len(held) != 5 {
		fence, err = decodeAcquire(reply)
		if errors.Is(err, backend.ErrHeld) {
			err = fmt.Errorf("redis: join: unexpected reply, an array of %d", len(held))
		}
		return fence, 0, err
	}
	holder, isText := text(held[0])
	var n [4]int64
	for i, v := range held[1:] {
		var isNumber bool
		n[i], isNumber = number(v)
		isText = isText && isNumber
	}
	if !isText || n[1] < 0 {
		return 0, 0, fmt.Errorf("redis: join: unexpected reply, an array of %d", len(held))
	}
	refusal := backend.Held(holder, duration(n[0]))
	refusal.Place, refusal.New = int(n[1]), n[3] == 1
	return 0, n[2], refusal
}

// decodeOwner returns nil for 1 and [backend.ErrNotOwner] for 0.
func decodeOwner(s *script, reply any) error {
	switch n, ok := number(reply); {
	case ok && n == 1:
		return nil
	case ok && n == 0:
		return backend.ErrNotOwner
	default:
		return unexpected(s, reply)
	}
}

func unexpected(s *script, reply any) error {
	return fmt.Errorf("redis: %s: unexpected reply of type %T", s.name, reply)
}

func text(reply any) (string, bool) {
	switch v := reply.(type) {
	case string:
		return v, true
	case []byte:
		return string(v), true
	}
	return "", false
}

func number(reply any) (int64, bool) {
	if n, ok := reply.(int64); ok {
		return n, true
	}
	s, ok := text(reply)
	if !ok {
		return 0, false
	}
	n, err := strconv.ParseInt(s, 10, 64)
	return n, err == nil
}
