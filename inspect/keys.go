package inspect

import (
	"strings"

	"github.com/dislock/dislock/internal/recipe"
)

// names are those under which Redis keeps what belongs to one lock.
type names struct{ lock, counter, line string }

// namesOf takes them from the request that the recipe sends, which is the one
// place that knows how they are made.
func namesOf(prefix, key string) names {
	_, release := recipe.Requests(prefix, key, "", 0)
	return names{release[3].(string), release[4].(string), release[5].(string)}
}

// keyOf returns the key whose lock is called name, if name is that of a lock: a counter
// and a line are called otherwise.
func keyOf(prefix, name string) (key string, ok bool) {
	key, opens := strings.CutPrefix(name, prefix+"{")
	key, closes := strings.CutSuffix(key, "}")
	return strings.TrimPrefix(key, `\`), opens && closes
}

// pattern matches the names of all locks whose keys begin with start, and hardly
// any others.
func pattern(prefix, start string) string {
	if start == "" {
		return glob.Replace(prefix) + "{*}" // a key of no letters is written with a letter
	}
	return glob.Replace(strings.TrimSuffix(namesOf(prefix, start).lock, "}")) + "*}"
}

// glob has the characters stand for themselves in a pattern.
var glob = strings.NewReplacer(`*`, `\*`, `?`, `\?`, `[`, `\[`, `\`, `\\`)
