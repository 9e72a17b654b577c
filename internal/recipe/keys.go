package recipe

import (
	"fmt"
	"strings"
)

// DefaultPrefix is what keys start with unless an option says otherwise.
const DefaultPrefix = "dislock:"

const (
	fenceSuffix = ":fence"
	lineSuffix  = ":line"
)

// keys returns the names under which Redis keeps the lease on key and its fence
// counter: PREFIX{KEY} and PREFIX{KEY}:fence. The layout is public.
//
// The braces are a Redis Cluster hash tag: all names live in one slot, or the
// script could not touch them. But the tag ends at the first closing brace, and
// an empty tag is no tag: the names of a key that starts with '}' would go to
// different slots. So a backslash is put in front of it, and of a key that starts
// with a backslash, to keep different keys different. No lock's name is another
// key's counter, because one ends in '}' and the other does not. The line of those
// who wait, PREFIX{KEY}:line, goes by the same rules.
func keys(prefix, key string) (lock, fence string) {
	open := "{"
	if key == "" || key[0] == '}' || key[0] == '\\' {
		open = `{\`
	}
	fence = prefix + open + key + "}" + fenceSuffix
	return fence[:len(fence)-len(fenceSuffix)], fence
}

// lineKey returns the name of the line beside that of the lock.
func lineKey(lock string) string { return lock + lineSuffix }

// channel returns what the channels start with on which backends hear.
func channel(prefix string) string { return prefix + "line:" }

// CheckPrefix panics if prefix can not start a key: a brace in it would be taken
// for the hash tag.
func CheckPrefix(prefix string) {
	if strings.ContainsAny(prefix, "{}") {
		panic(fmt.Sprintf("dislock: the prefix %q contains a brace, which is for the key that follows", prefix))
	}
}
