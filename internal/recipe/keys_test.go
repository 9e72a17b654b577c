package recipe

import (
	"strings"
	"testing"
)

func TestKeyNames(t *testing.T) {
	for _, c := range []struct{ prefix, key, lock string }{
		{DefaultPrefix, "invoices:2026-11", "dislock:{invoices:2026-11}"},
		{"", "a", "{a}"},
		{"app:", "a b\x00ü", "app:{a b\x00ü}"},
		{"p", "a}b", "p{a}b}"},
		{"p", "{a", "p{{a}"},
		{"p", "}", `p{\}}`},
		{"p", "}a", `p{\}a}`},
		{"p", `\}a`, `p{\\}a}`},
		{"p", `a\`, `p{a\}`},
		{"p", "", `p{\}`},
	} {
		lock, fence := keys(c.prefix, c.key)
		if lock != c.lock || fence != c.lock+":fence" {
			t.Errorf("keys(%q, %q) = %q, %q; want %q and the same with :fence", c.prefix, c.key, lock, fence, c.lock)
		}
	}
}

func TestPrefixWithBracePanics(t *testing.T) {
	CheckPrefix("")
	CheckPrefix("app:locks:")
	for _, prefix := range []string{"{", "}", "a{b}c", "a}"} {
		func() {
			defer func() {
				if text, _ := recover().(string); !strings.Contains(text, `"`+prefix+`"`) {
					t.Errorf("CheckPrefix(%q): panic says %q, want it to name the value", prefix, text)
				}
			}()
			CheckPrefix(prefix)
		}()
	}
}

// FuzzKeys holds that different keys have different names, that no name of one
// key is a name of another, and that both names of a key are in the same slot.
func FuzzKeys(f *testing.F) {
	seeds := []string{"", "}", `\`, `\}`, `\\}`, "}}", "{", "{}", "a", "a}b", "}:fence", "a}:fence", "a:fence", `\}:fence`}
	for _, a := range seeds {
		for _, b := range seeds {
			f.Add(a, b)
		}
	}
	f.Fuzz(func(t *testing.T, a, b string) {
		lockA, fenceA := keys(DefaultPrefix, a)
		lockB, fenceB := keys(DefaultPrefix, b)
		if slot(lockA) != slot(fenceA) {
			t.Errorf("%q and %q are in different slots", lockA, fenceA)
		}
		if (lockA == lockB) != (a == b) || (fenceA == fenceB) != (a == b) || lockA == fenceB || lockB == fenceA {
			t.Errorf("the keys %q and %q share a name: %q %q, %q %q", a, b, lockA, fenceA, lockB, fenceB)
		}
	})
}

// TestSlot compares slot with values that CLUSTER KEYSLOT gives.
func TestSlot(t *testing.T) {
	for key, want := range map[string]uint16{
		"123456789": 12739, "foo": 12182, "{foo}.bar": 12182, "foo{bar}": 5061, "{}foo": 9500, "x{{a}b": 10276, `dislock:{\}}`: 7033,
	} {
		if got := slot(key); got != want {
			t.Errorf("slot(%q) = %d, want %d", key, got, want)
		}
	}
}

// slot is the Redis Cluster specification's hash slot of key: CRC16 (XMODEM) of
// what is between the first '{' and the first '}' after it, if that is anything.
func slot(key string) uint16 {
	if _, rest, ok := strings.Cut(key, "{"); ok {
		if tag, _, ok := strings.Cut(rest, "}"); ok && tag != "" {
			key = tag
		}
	}
	var crc uint16
	for i := range len(key) {
		crc ^= uint16(key[i]) << 8
		for range 8 {
			if crc&0x8000 != 0 {
				crc = crc<<1 ^ 0x1021
			} else {
				crc <<= 1
			}
		}
	}
	return crc % 16384
}
