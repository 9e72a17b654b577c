//go:build linux

package main

import (
	"regexp"
	"strings"
	"testing"
)

// TestHelpFits holds that each help fits the smallest screen that people have.
func TestHelpFits(t *testing.T) {
	t.Parallel()
	for _, text := range []string{usage, runUsage} {
		lines := strings.Split(strings.TrimSuffix(text, "\n"), "\n")
		if len(lines) > 23 { // and the prompt
			t.Errorf("%d lines:\n%s", len(lines), text)
		}
		for _, line := range lines {
			if len(line) > 79 {
				t.Errorf("%d columns: %s", len(line), line)
			}
		}
	}
}

// TestManualPage holds that each flag that there is stands in the help of its subcommand
// and in the page beside this file.
func TestManualPage(t *testing.T) {
	t.Parallel()
	page := read(t, "dislock.1")
	_, page, _ = strings.Cut(page, ".Ss The flags of run\n")
	ofRun, page, _ := strings.Cut(page, ".Ss The flags of status, watch and break\n")
	ofOthers, _, found := strings.Cut(page, ".Sh ")
	if !found {
		t.Fatal("the page has no section of flags")
	}
	flagOf := regexp.MustCompile(`(?:fs|q)\.(?:String|Duration|Int|Bool)(?:Var)?\((?:&[\w.]+, )?"(\w+)"`)
	n := 0
	for _, c := range []struct {
		files   []string
		section string
		usage   string
	}{
		{[]string{"runflags.go"}, ofRun, runUsage},
		{[]string{"reader.go", "status.go"}, ofOthers, statusUsage},
		{[]string{"reader.go", "watch.go"}, ofOthers, watchUsage},
		{[]string{"reader.go", "break.go"}, ofOthers, breakUsage},
	} {
		for _, file := range c.files {
			for _, match := range flagOf.FindAllStringSubmatch(read(t, file), -1) {
				n++
				if !strings.Contains(c.section, "\n.It Fl "+match[1]) {
					t.Errorf("the page lacks -%s of %s", match[1], file)
				}
				if !strings.Contains(c.usage, " -"+match[1]) {
					t.Errorf("the help lacks -%s of %s:\n%s", match[1], file, c.usage)
				}
			}
		}
	}
	if n != 12+4+4+3 {
		t.Errorf("there are %d flags in the source; has it changed so that they are not found?", n)
	}
}
