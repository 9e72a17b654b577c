package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/dislock/dislock/internal/redistest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// tick stands for the backquote, which can not be in the strings below.
var tick = strings.NewReplacer("´", "`")

// TestDocuments holds that a document is done as written, and that one which is wrong is
// found out, each kind of mistake with the line at which it is.
func TestDocuments(t *testing.T) {
	redistest.Start(t).Close() // or there is nothing to be had
	for name, c := range map[string]struct {
		text   string
		want   string // of the error; "" for none
		counts map[string]int
		notRun int
	}{
		"runs": {
			text: "´´´sh\nmkdir a && cd a\n´´´\n\n´´´sh\nbasename $PWD; echo took 17 ms; echo more\n´´´\n\n´´´\na\ntook 4 ms\n´´´\n" +
				"By ´redis-cli SET lock x´ it is set.\n\n´´´sh\nredis-cli GET lock\n´´´\n\n´´´\nx\n´´´\n\n´´´sql\nSELECT\n´´´\n",
			counts: map[string]int{"command": 4, "output": 2},
		},
		"leaves out what it may": {
			text: "<!-- not run: a reason -->\n´´´sh\nfalse\n´´´\n\n<!-- not run: ´go away´: a reason -->\nor ´go away´.\n", notRun: 2,
		},
		"knows the server": {
			text:   "´´´sh\ntest localhost:6379 = \"$DOCS_REDIS\"\n´´´\n",
			counts: map[string]int{"command": 1},
		},
		"a program without a name": {
			text:   "<!-- in a new module -->\n´´´sh\ngo version\n´´´\n\n´´´go\npackage main\n\nfunc main() {}\n´´´\n",
			counts: map[string]int{"command": 1, "program": 1},
		},
		"a program fails": {
			text: "<!-- in a new module -->\n´´´sh\ngo version\n´´´\n\n´´´go\npackage main\n\nfunc main() { panic(1) }\n´´´\n",
			want: "line 6: go run .: exit status",
		},
		"a fragment": {
			text:   "´´´go\nlease, err := dislock.New(goredis.New(client), \"k\").LockContext(ctx)\nif err != nil {\n\treturn err\n}\nreturn lease.Unlock(ctx)\n´´´\n",
			counts: map[string]int{"fragment": 1},
		},
		"a fragment fails":       {text: "text\n\n´´´go\nreturn errors.New(\"bad luck\")\n´´´\n", want: "bad luck"},
		"a command fails":        {text: "text\n\n´´´sh\ntrue\nfalse\ntrue\n´´´\n", want: "line 3: true …: exit status 1"},
		"a command in the text":  {text: "text\nwith ´cd /nowhere´ in it\n", want: "line 2: cd /nowhere: exit status"},
		"other output":           {text: "´´´sh\necho one of 8\n´´´\n\n´´´\nnone of 8\n´´´\n", want: `no line like "none of #"`},
		"a line is missing":      {text: "´´´sh\necho a\n´´´\n\n´´´\na\na\n´´´\n", want: `no line like "a"`},
		"lines in another order": {text: "´´´sh\necho b; echo a\n´´´\n\n´´´\na\nb\n´´´\n", want: `no line like "b"`},
		"an unset variable":      {text: "´´´sh\necho $NOBODY_HAS_SET_THIS\n´´´\n", want: "line 1: "},
		"output of nothing":      {text: "´´´\na\n´´´\n", want: "line 1: a block without a language"},
		"an unknown comment":     {text: "<!-- do not run -->\n", want: "line 1: the comment"},
		"a block that goes on":   {text: "´´´sh\ntrue\n", want: "line 1: the block does not end"},
		"a block in a list":      {text: "- one\n\n  ´´´sh\n  false\n  ´´´\n", want: "line 3: a block begins with"},
		"Go that is no Go":       {text: "´´´go\nx :=\n´´´\n", want: "line 1: "},
		"Go in other clothes":    {text: "´´´go\nx := 1;\n´´´\n", want: "line 1: the Go block is not as gofmt has it"},
		"it is not there":        {text: "", want: "no such file"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := openWorkshop(t).try(t.Context(), write(t, c.text))
			if c.want == "" && r.err != nil || c.want != "" && (r.err == nil || !strings.Contains(r.err.Error(), c.want)) {
				t.Fatalf("error %v, want %q", r.err, c.want)
			}
			if c.want == "" && (fmt.Sprint(r.counts) != fmt.Sprint(c.counts) || len(r.notRun) != c.notRun) {
				t.Errorf("did %v and left out %q, want %v and %d", r.counts, r.notRun, c.counts, c.notRun)
			}
		})
	}
}

// TestNothingGoesOn holds that a block ends after a while, and all that it began with it.
func TestNothingGoesOn(t *testing.T) {
	t.Parallel()
	redistest.Start(t).Close()
	shop := openWorkshop(t)
	shop.patience = 500 * time.Millisecond
	late := filepath.Join(t.TempDir(), "late")
	text := "´´´sh\n(sleep 1; touch '" + late + "') & true\n´´´\n\n´´´sh\n(sleep 1; touch '" + late + "') & sleep 1; touch '" + late + "'\n´´´\n"
	r := shop.try(t.Context(), write(t, text))
	if r.err == nil || !strings.Contains(r.err.Error(), "line 5: ") || !strings.Contains(r.err.Error(), "has not ended after 500ms") {
		t.Errorf("error %v, want that the second block has not ended", r.err)
	}
	time.Sleep(1500 * time.Millisecond)
	if _, err := os.Stat(late); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("something went on when the document was done (%v)", err)
	}
}

func openWorkshop(t *testing.T) *workshop {
	root, err := moduleRoot()
	if err != nil {
		t.Fatal(err)
	}
	shop, err := newWorkshop(root, false)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(shop.close)
	return shop
}

// write returns the path of a document with this text, or, if it is "", of none.
func write(t *testing.T, text string) string {
	path := filepath.Join(t.TempDir(), "guide.md")
	if text != "" {
		if err := os.WriteFile(path, []byte(tick.Replace(text)), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return path
}

// TestShape holds what may differ from run to run, and what may not.
func TestShape(t *testing.T) {
	for _, c := range []struct {
		a, b string
		same bool
	}{
		{"took 1.5s", "took 1m2.5s", true},
		{"ok  \texample.com/x\t0.003s", "ok  example.com/x 1.2s", true},
		{"--- PASS: TestOne (0.00s)", "--- PASS: TestOne (1.25s)", true},
		{" 1 ·▌··█··  8  56", " 1 ····█▐·  8  64", true},
		{"┴────┴──", "┴──┴──┴──", true},
		{"0s 0.5s 1s", "0s 0.5s 1s 1.5s", true},
		{"web:17:ABCDEFGHIJKLMNOPQRSTUVWXYZ", "web:4:BBCDEFGHIJKLMNOPQRSTUVW234", true},
		{"none lost", "33 lost", false},
		{"--- PASS: TestOne (0.00s)", "--- FAIL: TestOne (0.00s)", false},
		{"the lock is lost", "the lock is held", false},
	} {
		if same := shape(c.a) == shape(c.b); same != c.same {
			t.Errorf("%q and %q have the same shape: %v, want %v", c.a, c.b, same, c.same)
		}
	}
}

// TestFragment holds that a fragment is run as it stands, whatever it declares.
func TestFragment(t *testing.T) {
	const text = "mu, err := dislock.New(memory.New(), \"k\"), error(nil)\nif err != nil {\n\treturn err\n}\n"
	got, err := asTest(block{line: 7}, text)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"func TestLine7(", "_ = mu\n", "_ = err\n", `"github.com/dislock/dislock/backend/memory"`, "//line line:8\n"} {
		if !strings.Contains(got, want) {
			t.Errorf("there is no %q in\n%s", want, got)
		}
	}
}
