package conformance

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"strings"
	"testing"
)

// TestEnrolment holds that every backend of this module is tested by this suite:
// each folder under backend/ with Go code in it has a test that calls Run.
func TestEnrolment(t *testing.T) {
	enrolled := make(map[string]bool)
	err := filepath.WalkDir("../backend", func(path string, d fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, ".go") {
			return err
		}
		dir := filepath.Dir(path)
		enrolled[dir] = enrolled[dir] || strings.HasSuffix(path, "_test.go") && callsRun(t, path)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	delete(enrolled, filepath.Join("..", "backend")) // the contract
	if len(enrolled) < 4 {
		t.Errorf("found %d backends: %v", len(enrolled), enrolled)
	}
	for dir, ok := range enrolled {
		if !ok {
			t.Errorf("%s has no test that calls conformance.Run", dir)
		}
	}
}

func callsRun(t *testing.T, path string) (calls bool) {
	file, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	ast.Inspect(file, func(n ast.Node) bool {
		call, ok := n.(*ast.CallExpr)
		if !ok {
			return true
		}
		if f, ok := call.Fun.(*ast.SelectorExpr); ok && f.Sel.Name == "Run" {
			pkg, ok := f.X.(*ast.Ident)
			calls = calls || ok && pkg.Name == "conformance"
		}
		return true
	})
	return calls
}
