package main

import (
	"context"
	"fmt"
	"go/ast"
	"go/format"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// setting is what a fragment may take for granted: a ctx, a client and a pool that
// reach a Redis, a mutex and a lease of its own, and the test that it runs in.
const setting = `package fragments

import (
	"context"
	"os"
	"testing"
	"time"

	redigo "github.com/gomodule/redigo/redis"
	goredis "github.com/redis/go-redis/v9"

	"github.com/dislock/dislock"
	"github.com/dislock/dislock/backend/memory"
)

type fragment func(t *testing.T, ctx context.Context, client *goredis.Client, pool *redigo.Pool, mu *dislock.Mutex, lease *dislock.Lease) error

func try(t *testing.T, f fragment) {
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	client := goredis.NewClient(&goredis.Options{Addr: os.Getenv("DOCS_REDIS"), ContextTimeoutEnabled: true})
	defer client.Close()
	pool := &redigo.Pool{DialContext: func(ctx context.Context) (redigo.Conn, error) {
		return redigo.DialContext(ctx, "tcp", os.Getenv("DOCS_REDIS"))
	}}
	defer pool.Close()
	lease, err := dislock.New(memory.New(), "lease").LockContext(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if err := f(t, ctx, client, pool, dislock.New(memory.New(), "mu"), lease); err != nil {
		t.Fatal(err)
	}
}
`

// packages are those that a fragment may use without saying where they are.
var packages = map[string]string{
	"context": "context", "errors": "errors", "fmt": "fmt", "log": "log", "os": "os", "sync": "sync", "time": "time",
	"slog": "log/slog", "signal": "os/signal", "synctest": "testing/synctest", "atomic": "sync/atomic", "syscall": "syscall",
	"dislock": "github.com/dislock/dislock",
	"backend": "github.com/dislock/dislock/backend",
	"faulty":  "github.com/dislock/dislock/backend/faulty",
	"goredis": "github.com/dislock/dislock/backend/goredis",
	"memory":  "github.com/dislock/dislock/backend/memory",
	"redigo":  "github.com/dislock/dislock/backend/redigo",
	"redis":   "github.com/redis/go-redis/v9",
	"testing": "testing",
}

// fragments runs the fragments of a document, each as a test.
func (r *reader) fragments(ctx context.Context, blocks []block) error {
	if len(blocks) == 0 {
		return nil
	}
	r.cwd = filepath.Join(r.home, fragmentDir)
	files := map[string]string{"setting.go": setting}
	for _, b := range blocks {
		text, err := asTest(b, r.here(b.text))
		if err != nil {
			return fmt.Errorf("line %d: %w", b.line, err)
		}
		files[fmt.Sprintf("line%d_test.go", b.line)] = text
	}
	if err := os.Mkdir(r.cwd, 0o755); err != nil {
		return err
	}
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(r.cwd, name), []byte(text), 0o644); err != nil {
			return err
		}
	}
	output, err := r.sh(ctx, "set -e\ngo mod init example.com/fragments\n"+
		"go get github.com/dislock/dislock/backend/goredis github.com/dislock/dislock/backend/redigo\n"+
		"go test -timeout=60s .")
	if err != nil {
		return fmt.Errorf("a fragment, by its line: %w\n%s", err, indent(output))
	}
	return nil
}

// asTest returns a file in which the fragment is the body of a test. What it declares
// and does not use, the text around it does.
func asTest(b block, text string) (string, error) {
	const before = "package fragments\n\nfunc _() error {\n"
	file, err := parser.ParseFile(token.NewFileSet(), "", before+text+"\nreturn nil\n}\n", 0)
	if err != nil {
		return "", err
	}
	body := file.Decls[0].(*ast.FuncDecl).Body
	var uses []string
	for _, s := range body.List {
		if a, ok := s.(*ast.AssignStmt); ok && a.Tok == token.DEFINE {
			for _, name := range a.Lhs {
				if id := name.(*ast.Ident); id.Name != "_" {
					uses = append(uses, "_ = "+id.Name)
				}
			}
		}
	}
	imports := imported(body)
	source := fmt.Sprintf(`package fragments

import (
%s
	client9 "github.com/redis/go-redis/v9"
	client1 "github.com/gomodule/redigo/redis"
)

func TestLine%d(t *testing.T) {
	try(t, func(t *testing.T, ctx context.Context, client *client9.Client, pool *client1.Pool, mu *dislock.Mutex, lease *dislock.Lease) error {
		{
//line line:%d
%s
%s
		}
		return nil
	})
}
`, imports, b.line, b.line+1, text, strings.Join(uses, "\n"))
	formatted, err := format.Source([]byte(source))
	return string(formatted), err
}

// imported returns the import lines for the packages that body names, and those that
// the setting does.
func imported(body *ast.BlockStmt) string {
	names := []string{"context", "dislock", "testing"}
	ast.Inspect(body, func(n ast.Node) bool {
		if s, ok := n.(*ast.SelectorExpr); ok {
			if id, ok := s.X.(*ast.Ident); ok && packages[id.Name] != "" && !slices.Contains(names, id.Name) {
				names = append(names, id.Name)
			}
		}
		return true
	})
	slices.Sort(names)
	var lines []string
	for _, name := range names {
		lines = append(lines, fmt.Sprintf("\t%q", packages[name]))
	}
	return strings.Join(lines, "\n")
}
