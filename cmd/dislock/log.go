package main

import (
	"context"
	"log/slog"
	"strings"
)

// A logHandler prints what the library logs like everything else that dislock says: one
// line on stderr that begins with its name. Of the attributes it shows the error, which
// names the key if that is of interest.
type logHandler struct{ env }

// Enabled implements [slog.Handler].
func (h logHandler) Enabled(_ context.Context, level slog.Level) bool {
	return level >= slog.LevelWarn
}

// Handle implements [slog.Handler].
func (h logHandler) Handle(_ context.Context, r slog.Record) error {
	text := strings.TrimPrefix(r.Message, "dislock: ")
	r.Attrs(func(a slog.Attr) bool {
		if a.Key == "err" {
			text += ": " + strings.TrimPrefix(a.Value.String(), "dislock: ")
		}
		return true
	})
	h.say("%s", text)
	return nil
}

// WithAttrs implements [slog.Handler].
func (h logHandler) WithAttrs([]slog.Attr) slog.Handler { return h }

// WithGroup implements [slog.Handler].
func (h logHandler) WithGroup(string) slog.Handler { return h }
