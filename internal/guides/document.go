package main

import (
	"fmt"
	"go/format"
	"regexp"
	"strings"
)

// A block is something that a document says can be run: a fenced block of sh or Go, or
// a command line in the text.
type block struct {
	line      int // in the document
	language  string
	text      string
	inline    bool
	file      string  // what a block of Go is to be named; "" for a fragment
	output    *string // what a block of sh prints, if the document says so
	newModule bool
	notRun    string // why
}

// name is how a block is called in a report.
func (b block) name() string {
	first, _, more := strings.Cut(strings.TrimSpace(b.text), "\n")
	if more {
		first += " …"
	}
	return first
}

var (
	fence    = regexp.MustCompile("^```(\\w*)$")
	comment  = regexp.MustCompile(`^<!-- (.*) -->$`)
	command  = regexp.MustCompile("`((?:go|make|cd|redis-cli|dislock) [^`]+)`")
	excused  = regexp.MustCompile("^not run: `([^`]+)`: (.+)$")
	fileLine = regexp.MustCompile(`^// ([\w./-]+\.go)$`)
)

// parse returns the blocks of a document in order.
func parse(text string) ([]block, error) {
	var blocks []block
	var next block // what comments say of the block to come
	excuses := map[string]string{}
	lines := strings.Split(text, "\n")
	for i := 0; i < len(lines); i++ {
		line := strings.TrimRight(lines[i], " ")
		if m := comment.FindStringSubmatch(line); m != nil {
			if e := excused.FindStringSubmatch(m[1]); e != nil {
				excuses[e[1]] = e[2]
			} else if reason, ok := strings.CutPrefix(m[1], "not run: "); ok {
				next.notRun = reason
			} else if m[1] == "in a new module" {
				next.newModule = true
			} else {
				return nil, fmt.Errorf("line %d: the comment %q says nothing that is known", i+1, m[1])
			}
			continue
		}
		m := fence.FindStringSubmatch(line)
		if m == nil && strings.HasPrefix(strings.TrimSpace(line), "```") {
			return nil, fmt.Errorf("line %d: a block begins with ``` and a language, not with %q", i+1, line)
		}
		if m == nil {
			for _, c := range command.FindAllStringSubmatch(line, -1) {
				blocks = append(blocks, block{line: i + 1, language: "sh", text: c[1], inline: true, notRun: excuses[c[1]]})
			}
			continue
		}
		b := next
		next = block{}
		b.line, b.language = i+1, m[1]
		start := i + 1
		for i++; i < len(lines) && lines[i] != "```"; i++ {
		}
		if i >= len(lines) {
			return nil, fmt.Errorf("line %d: the block does not end", b.line)
		}
		b.text = strings.Join(lines[start:i], "\n") + "\n"
		switch b.language {
		case "sh":
			blocks = append(blocks, b)
		case "go":
			if err := b.readGo(); err != nil {
				return nil, fmt.Errorf("line %d: %w", b.line, err)
			}
			blocks = append(blocks, b)
		case "":
			if n := len(blocks); n > 0 && blocks[n-1].language == "sh" && !blocks[n-1].inline && blocks[n-1].output == nil {
				blocks[n-1].output = &b.text
				continue
			}
			return nil, fmt.Errorf("line %d: a block without a language shows the output of the one of sh before it, and there is none", b.line)
		}
	}
	return blocks, nil
}

// readGo finds the name of the file that b is, if it is one, and that it is formatted.
func (b *block) readGo() error {
	formatted, err := format.Source([]byte(b.text))
	if err != nil {
		return err
	}
	if string(formatted) != b.text {
		return fmt.Errorf("the Go block is not as gofmt has it")
	}
	first, _, _ := strings.Cut(b.text, "\n")
	if m := fileLine.FindStringSubmatch(first); m != nil {
		b.file = m[1]
	} else if strings.HasPrefix(first, "package ") {
		b.file = "main.go"
	}
	return nil
}
