package recipe

import (
	"strings"
	"testing"
)

// FuzzNames holds, for any prefix that is allowed, that the three names of a key are in
// one slot of a cluster, and that all six names of two keys differ.
func FuzzNames(f *testing.F) {
	keys := []string{"a", "{", "}", `\`, `\}`, "{}", "}{", "}}", "a}b", "{a}", "a}:line", "a}:fence", "}:line{", ":line", "\x00", "\xff}", "line:"}
	for _, key := range keys {
		for _, other := range keys {
			f.Add(DefaultPrefix, key, other)
		}
		f.Add("", key, key+"}")
		f.Add("line:", key, key+"}:line")
	}
	f.Fuzz(func(t *testing.T, prefix, one, two string) {
		if strings.ContainsAny(prefix, "{}") || one == two {
			return
		}
		owners := make(map[string]string)
		for _, key := range []string{one, two} {
			names := namesOf(prefix, key)
			for _, name := range names {
				if slot(name) != slot(names[0]) {
					t.Errorf("%q and %q are in different slots", names[0], name)
				}
				if other, taken := owners[name]; taken {
					t.Errorf("%q is a name of the key %q and of %q", name, other, key)
				}
				owners[name] = key
				if !strings.HasPrefix(name, prefix) || !strings.Contains(name, key) {
					t.Errorf("%q does not show its prefix %q and key %q", name, prefix, key)
				}
			}
		}
	})
}

// namesOf returns the names under which Redis keeps what it knows of key.
func namesOf(prefix, key string) []string {
	lock, fence := keys(prefix, key)
	return []string{lock, fence, lineKey(lock)}
}
