package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// TestDrawnFromText holds that the images are what their texts give, and that each has
// one.
func TestDrawnFromText(t *testing.T) {
	images, err := filepath.Glob("*.svg")
	if err != nil || len(images) == 0 {
		t.Fatalf("no images: %v", err)
	}
	for _, path := range images {
		text, err := os.ReadFile(strings.TrimSuffix(path, ".svg") + ".txt")
		if err != nil {
			t.Errorf("%s has no text: %v", path, err)
			continue
		}
		want, err := draw(string(text))
		if err != nil {
			t.Errorf("%s: %v", path, err)
			continue
		}
		if got, err := os.ReadFile(path); err != nil || string(got) != want {
			t.Errorf("%s is not what its text gives (%v): run make diagrams", path, err)
		}
	}
	texts, err := filepath.Glob("*.txt")
	if err != nil || len(texts) != len(images) {
		t.Errorf("%d texts and %d images (%v)", len(texts), len(images), err)
	}
}

// TestMistakes holds that a text that says nothing sensible is refused, by its line.
func TestMistakes(t *testing.T) {
	const good = "time 0 10 1 s\nttl 5\nlane A Process A\nlane R Redis\n"
	if _, err := draw(good); err != nil {
		t.Fatal(err)
	}
	for text, want := range map[string]string{
		"":                          "needs a time",
		good + "hodl A 1 2 words":   "line 5: there is no \"hodl\"",
		good + "hold B 1 2 words":   "line 5: there is no lane \"B\"",
		good + "hold A 1":           "line 5: a hold names 1 lanes and 2 times",
		good + "send A R 1 x":       "line 5: ",
		good + "key A 1=5 2=5":      "line 5: of a key all times but the last",
		good + "key A 1 2":          "line 5: of a key all times but the last",
		good + "key A 1=5":          "line 5: a key has an owner",
		good + "time 0 10":          "line 5: a time is",
		"time 0 10 1 s\nlane A A\n": "needs a time",
	} {
		if _, err := draw(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("draw(%q): %v, want %q", text, err, want)
		}
	}
}

// TestWordsAreEscaped holds that a text can not break its image.
func TestWordsAreEscaped(t *testing.T) {
	svg, err := draw("title a < b & \"c\"\ntime 0 10 1 s\nttl 5\nlane A A<\nlane R Redis\nnote A 1 </svg>")
	if err != nil || strings.Count(svg, "</svg>") != 1 || !strings.Contains(svg, "a &lt; b &amp; &#34;c&#34;") {
		t.Errorf("%v:\n%s", err, svg)
	}
}
