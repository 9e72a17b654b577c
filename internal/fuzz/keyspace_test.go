package fuzz_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/gomodule/redigo/redis"

	"github.com/dislock/dislock/internal/fuzz"
	"github.com/dislock/dislock/internal/redistest"
)

// A keyspace is what an admin sees of the server.
type keyspace struct{ admin redis.Conn }

func newKeyspace(tb testing.TB, s *redistest.Server) *keyspace {
	admin, err := redis.Dial("tcp", s.Addr(), redis.DialReadTimeout(generous))
	if err != nil {
		tb.Fatal(err)
	}
	fuzz.AtEnd(func() { admin.Close() })
	return &keyspace{admin}
}

// holds checks that these are the names on the server, and no others; and that those
// which belong together would be in one slot of a cluster.
func (k *keyspace) holds(t *testing.T, want []string) {
	t.Helper()
	got, err := redis.Strings(k.admin.Do("KEYS", "*"))
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("the server has %q, want %q", got, want)
	}
	for _, name := range got {
		lock := name[:strings.LastIndexByte(name, '}')+1]
		if slot(name) != slot(lock) {
			t.Errorf("%q and %q are in different slots", name, lock)
		}
	}
}

func (k *keyspace) flush(t *testing.T) {
	t.Helper()
	if _, err := k.admin.Do("FLUSHDB"); err != nil {
		t.Fatal(err)
	}
}

// names returns the names of the lock, its fence and its line, as they are documented.
func names(key string) []string {
	if key[0] == '}' || key[0] == '\\' {
		key = `\` + key
	}
	lock := "dislock:{" + key + "}"
	return []string{lock, lock + ":fence", lock + ":line"}
}

// slot is the hash slot of name by the specification of Redis Cluster: CRC16 (XMODEM)
// of what is between the first '{' and the first '}' after it, if that is anything.
func slot(name string) uint16 {
	if open := strings.IndexByte(name, '{'); open >= 0 {
		if length := strings.IndexByte(name[open+1:], '}'); length > 0 {
			name = name[open+1:][:length]
		}
	}
	crc := uint16(0)
	for _, b := range []byte(name) {
		crc ^= uint16(b) << 8
		for range 8 {
			carry := crc >> 15
			crc = crc<<1 ^ carry*0x1021
		}
	}
	return crc % 16384
}
