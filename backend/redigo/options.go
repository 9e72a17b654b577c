package redigo

import (
	"log/slog"

	"github.com/dislock/dislock/internal/recipe"
)

// Option changes what [New] does by default.
type Option func(*options)

type options struct {
	prefix string
	logger *slog.Logger
}

// WithPrefix sets what the names of all keys start with; the default is
// "dislock:". It panics if prefix contains a brace: the first pair of braces in
// a name decides where Redis Cluster keeps it, and that pair is around the key.
func WithPrefix(prefix string) Option {
	recipe.CheckPrefix(prefix)
	return func(o *options) { o.prefix = prefix }
}

// WithLogger sets where it is said, once, that waiters have to poll because the
// server can not tell them of their turn; the default is [slog.Default].
func WithLogger(logger *slog.Logger) Option {
	return func(o *options) { o.logger = logger }
}
