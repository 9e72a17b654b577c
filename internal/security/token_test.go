package security

import (
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/dislock/dislock/backend"
)

const root = "../.."

// TestTokensComeFromCryptoRand holds where the secret part comes from, and that it
// is large enough: 26 characters of 5 bits are 130.
func TestTokensComeFromCryptoRand(t *testing.T) {
	t.Parallel()
	file, err := parser.ParseFile(token.NewFileSet(), root+"/backend/token.go", nil, parser.ImportsOnly)
	if err != nil {
		t.Fatal(err)
	}
	crypto := false
	for _, spec := range file.Imports {
		name, _ := strconv.Unquote(spec.Path.Value)
		crypto = crypto || name == "crypto/rand"
	}
	if !crypto {
		t.Error("backend/token.go does not import crypto/rand")
	}

	form := regexp.MustCompile(`^a:b:[A-Z2-7]{26}$`)
	// With as many tokens, each place has shown each character unless it is not free
	// to: of 32, the odds that one is missing are (31/32)^2000, one in 10^27.
	var seen [26]map[byte]bool
	for range 2000 {
		token := backend.NewToken("a:b")
		if !form.MatchString(token) {
			t.Fatalf("the token %q is not of the form %v", token, form)
		}
		for i := range seen {
			if seen[i] == nil {
				seen[i] = make(map[byte]bool)
			}
			seen[i][token[len("a:b:")+i]] = true
		}
	}
	bits := 0
	for i := range seen {
		if len(seen[i]) == 32 {
			bits += 5
		}
	}
	if bits < 128 {
		t.Errorf("%d places of the secret vary in every way, which makes %d bits, want 128", bits/5, bits)
	}
}

// TestNoTokenFromMathRand holds that math/rand is where nothing has to be secret:
// the jitter of pauses, in the root package.
func TestNoTokenFromMathRand(t *testing.T) {
	t.Parallel()
	for _, dir := range []string{"backend", "internal/recipe"} {
		err := filepath.WalkDir(filepath.Join(root, dir), func(path string, d fs.DirEntry, err error) error {
			if err != nil || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
				return err
			}
			checkNoMathRand(t, path)
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	files, err := filepath.Glob(root + "/*.go")
	if err != nil || len(files) == 0 {
		t.Fatalf("no Go files: %v", err)
	}
	for _, path := range files {
		if name := filepath.Base(path); name != "backoff.go" && !strings.HasSuffix(name, "_test.go") {
			checkNoMathRand(t, path)
		}
	}
}

func checkNoMathRand(t *testing.T, path string) {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ImportsOnly)
	if err != nil {
		t.Fatal(err)
	}
	for _, spec := range file.Imports {
		if strings.HasPrefix(spec.Path.Value, `"math/rand`) {
			t.Errorf("%s imports %s", path, spec.Path.Value)
		}
	}
}

// TestOwnerOfForeignTokens holds that nothing is shown of a token that others made,
// all of which may be secret.
func TestOwnerOfForeignTokens(t *testing.T) {
	t.Parallel()
	own := backend.NewToken("host:7")
	secret := own[len("host:7:"):]
	for token, want := range map[string]string{
		own:                                    "host:7",
		backend.NewToken(""):                   "",
		backend.NewToken(own):                  own, // whoever takes a token for a label shows it
		"":                                     "",
		"0f8fad5bd9cb469fa16570867728950e":     "", // redis-py: a uuid in hex
		"0f8fad5b-d9cb-469f-a165-70867728950e": "",
		"Ykh1bXB0eSBEdW1wdHkgc2F0IG9u":         "", // redislock: base64
		"f3Zr8Tq1Yk0Zb2Nq4cQ7Jw==":             "", // redsync: base64
		"8743c9c0-0795-4907-87fd-6c719a6b4586:29": "", // Redisson: client and thread
		secret:                        "",
		own[:len(own)-1]:              "",
		own + "A":                     "",
		own + "\n":                    "",
		strings.ToLower(own):          "",
		"host:7;" + secret:            "",
		"host:7:" + secret[:25] + "0": "",
	} {
		if got := backend.Owner(token); got != want {
			t.Errorf("Owner(%q) = %q, want %q", token, got, want)
		}
		if held := backend.Held(token, 0); held.Owner != want {
			t.Errorf("Held(%q) shows %q, want %q", token, held.Owner, want)
		}
	}
}
