package dislock_test

import (
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const module = "github.com/dislock/dislock"

// TestImportsPointInwards holds who may import whom. The standard library is free
// to all, tests are free to import what they test with.
func TestImportsPointInwards(t *testing.T) {
	for dir, allowed := range map[string][]string{
		".":               {module + "/backend"},
		"backend":         {},
		"backend/memory":  {module + "/backend"},
		"backend/faulty":  {module + "/backend"},
		"backend/redigo":  {module + "/backend", module + "/internal/recipe", "github.com/gomodule/redigo/redis"},
		"backend/goredis": {module + "/backend", module + "/internal/recipe", "github.com/redis/go-redis/v9"},
		"inspect":         {module + "/backend", module + "/internal/recipe", "github.com/redis/go-redis/v9"},
		"internal/recipe": {module + "/backend"},
		"conformance":     {module, module + "/backend", module + "/backend/faulty"},
	} {
		files, err := filepath.Glob(filepath.Join(dir, "*.go"))
		if err != nil || len(files) == 0 {
			t.Fatalf("no Go files in %s: %v", dir, err)
		}
		for _, path := range files {
			if strings.HasSuffix(path, "_test.go") {
				continue
			}
			file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ImportsOnly)
			if err != nil {
				t.Fatal(err)
			}
			for _, spec := range file.Imports {
				name, _ := strconv.Unquote(spec.Path.Value)
				first, _, _ := strings.Cut(name, "/")
				if strings.Contains(first, ".") && !slices.Contains(allowed, name) {
					t.Errorf("%s imports %s", path, name)
				}
			}
		}
	}
}

// TestRequirements holds that a user's module graph gets two drivers and a test
// helper, and nothing else.
func TestRequirements(t *testing.T) {
	mod, err := os.ReadFile("go.mod")
	if err != nil {
		t.Fatal(err)
	}
	var direct []string
	for line := range strings.Lines(string(mod)) {
		fields := strings.Fields(line)
		if len(fields) == 2 && strings.HasPrefix(fields[1], "v") {
			direct = append(direct, fields[0])
		}
	}
	want := []string{"github.com/gomodule/redigo", "github.com/redis/go-redis/v9", "go.uber.org/goleak"}
	if !slices.Equal(direct, want) {
		t.Errorf("go.mod requires %v directly, want %v", direct, want)
	}
}
