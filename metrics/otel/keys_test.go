package otel_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"
	"unicode/utf8"

	"github.com/dislock/dislock"
	"github.com/dislock/dislock/backend/faulty"
	"github.com/dislock/dislock/metrics/otel"
	"go.opentelemetry.io/otel/attribute"
)

// The key, and what errors say, are in spans only if they are asked for.
func TestKeysAreOptIn(t *testing.T) {
	for _, keys := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			var options []otel.Option
			if keys {
				options = append(options, otel.WithKeys())
			}
			f := newFixture(t, options, dislock.WithTTL(3*time.Second))
			mu := dislock.New(f.faults, "Ada Lovelace", quiet, dislock.WithTTL(3*time.Second), dislock.WithHooks(f.tel.Hooks("customers")))
			mu.Lock()
			f.faults.All(faulty.ExpireIfOwner, faulty.Refuse(fmt.Errorf("no answer about Ada Lovelace")))
			time.Sleep(4 * time.Second)
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			_, _ = f.tel.Lock(ctx, "customers", mu)
			mu.Unlock()
			var said strings.Builder
			for _, s := range f.spans.Ended() {
				fmt.Fprintln(&said, s.Name(), s.Status(), attrs(s.Attributes()))
				for _, e := range s.Events() {
					fmt.Fprintln(&said, e.Name, attrs(e.Attributes))
				}
			}
			if lines := strings.Count(said.String(), "\n"); lines < 3 {
				t.Errorf("%d lines, want a wait, a hold and a failed renewal:\n%s", lines, &said)
			}
			for line := range strings.Lines(said.String()) {
				if strings.Contains(line, "Ada") != keys {
					t.Errorf("keys %v: %s", keys, line)
				}
			}
			for name := range f.points(t) {
				if strings.Contains(name, "Ada") {
					t.Errorf("a metric has the key: %s", name)
				}
			}
		})
	}
}

// One text that is not UTF-8 costs an exporter the whole batch, and a key is bytes.
func TestSpansAreUTF8(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const key = "\xff\xfe"
		f := newFixture(t, []otel.Option{otel.WithKeys()})
		mu := dislock.New(f.faults, key, quiet, dislock.WithTTL(3*time.Second), dislock.WithHooks(f.tel.Hooks("bytes")))
		mu.Lock()
		f.faults.All(faulty.ExpireIfOwner, faulty.Refuse(errors.New("no answer about "+key)))
		time.Sleep(4 * time.Second)
		f.faults.All(faulty.SetNX, faulty.Refuse(errors.New("no answer about "+key)))
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_, _ = f.tel.Lock(ctx, "class "+key, mu)
		mu.Unlock()
		replaced := map[string]int{}
		check := func(set []attribute.KeyValue) {
			for name, value := range attrs(set) {
				if !utf8.ValidString(value) {
					t.Errorf("%s is %q", name, value)
				}
				replaced[name] += strings.Count(value, "\ufffd")
			}
		}
		for _, s := range f.spans.Ended() {
			check(s.Attributes())
			for _, e := range s.Events() {
				check(e.Attributes)
			}
		}
		for _, name := range []string{"dislock.key", "dislock.class", "error.message"} {
			if replaced[name] == 0 {
				t.Errorf("%s has lost what it had", name)
			}
		}
		time.Sleep(time.Minute) // what gives the key back in the background ends
	})
}
