package main

import (
	"encoding/json"
	"io"
	"time"

	"github.com/dislock/dislock/inspect"
)

// A record is a lock as one line of JSON. What is not known is not there. Bytes that
// are not UTF-8 are replaced, as JSON has it.
type record struct {
	Key     string     `json:"key"`
	Held    bool       `json:"held"`
	Owner   string     `json:"owner,omitempty"`
	Fence   uint64     `json:"fence,omitempty"` // exact also for readers that know only doubles
	Since   *time.Time `json:"since,omitempty"`
	TTL     float64    `json:"ttl_seconds,omitempty"`
	Waiting int        `json:"waiting"`
}

func writeJSON(w io.Writer, l inspect.Lock) error {
	r := record{Key: l.Key, Held: l.Held(), Owner: l.Owner, Fence: l.Fence, TTL: l.TTL.Seconds(), Waiting: l.Waiting}
	if !l.Since.IsZero() {
		since := l.Since.UTC().Truncate(time.Millisecond)
		r.Since = &since
	}
	return json.NewEncoder(w).Encode(r)
}
