package security

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/gomodule/redigo/redis"
	goredisclient "github.com/redis/go-redis/v9"

	"github.com/dislock/dislock"
	"github.com/dislock/dislock/backend/goredis"
	"github.com/dislock/dislock/backend/redigo"
	"github.com/dislock/dislock/internal/redistest"
)

// TestTLS has locks taken, renewed, awaited and released by way of TLS, with and
// without a certificate of the client's own, and with a password.
func TestTLS(t *testing.T) {
	t.Parallel()
	a := redistest.NewAuthority(t)
	mine := a.Issue(time.Now().Add(time.Hour))
	for name, tt := range map[string]struct {
		ask      string
		config   *tls.Config
		password string
	}{
		"of the server alone":         {"no", trust(a), ""},
		"of both sides":               {"yes", &tls.Config{RootCAs: a.Pool(), Certificates: []tls.Certificate{mine}}, ""},
		"of both sides, and password": {"yes", &tls.Config{RootCAs: a.Pool(), Certificates: []tls.Certificate{mine}}, "secret"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, addr := redistest.StartTLS(t, a, mine, "--tls-auth-clients", tt.ask)
			if tt.password != "" {
				s.Do(t, "CONFIG", "SET", "requirepass", tt.password)
			}
			eachDriver(t, func(t *testing.T, open func(testing.TB, login) line) {
				in := login{addr: addr, tls: tt.config, password: tt.password}
				handsOver(t, t.Name(), open(t, in), open(t, in))
			})
		})
	}
}

// TestTLSByURL is what the adapters' documentation shows.
func TestTLSByURL(t *testing.T) {
	t.Parallel()
	a := redistest.NewAuthority(t)
	s, addr := redistest.StartTLS(t, a, a.Issue(time.Now().Add(time.Hour)), "--tls-auth-clients", "no")
	s.Do(t, "ACL", "SETUSER", "lock", "on", ">secret", "~*", "&*", "+@all")
	url, config := "rediss://lock:secret@"+addr+"/0", trust(a)

	pool := &redis.Pool{
		MaxIdle: 8,
		DialContext: func(ctx context.Context) (redis.Conn, error) {
			return redis.DialURLContext(ctx, url,
				redis.DialTLSConfig(config),
				redis.DialTLSHandshakeTimeout(2*time.Second),
				redis.DialConnectTimeout(2*time.Second),
				redis.DialReadTimeout(2*time.Second),
				redis.DialWriteTimeout(2*time.Second))
		},
	}
	t.Cleanup(func() { pool.Close() })
	one := redigo.New(pool)
	t.Cleanup(func() { one.Close() })

	options, err := goredisclient.ParseURL(url)
	if err != nil {
		t.Fatal(err)
	}
	options.TLSConfig.RootCAs = config.RootCAs
	options.ContextTimeoutEnabled = true
	client := goredisclient.NewClient(options)
	t.Cleanup(func() { client.Close() })
	two := goredis.New(client)
	t.Cleanup(func() { two.Close() })

	handsOver(t, "there", one, two)
	handsOver(t, "and back", two, one)
}

// TestTLSRefused holds that who does not trust the server, or is not trusted, is told
// why, in time, and that nothing of a password or token is shown.
func TestTLSRefused(t *testing.T) {
	t.Parallel()
	a, stranger := redistest.NewAuthority(t), redistest.NewAuthority(t)
	good, expired := a.Issue(time.Now().Add(time.Hour)), a.Issue(time.Now().Add(-time.Hour))
	trusting := trust(a)
	// In TLS 1.3 the server refuses a client when that has begun to talk, and the
	// reason may get lost with the connection.
	const afterwards = "tls: .*certificate|reset by peer|broken pipe"
	for name, tt := range map[string]struct {
		server tls.Certificate
		ask    string
		config *tls.Config
		want   string
	}{
		"an unknown authority":                  {good, "no", &tls.Config{RootCAs: stranger.Pool()}, "certificate signed by unknown authority"},
		"an expired certificate":                {expired, "no", trusting, "certificate has expired"},
		"another name":                          {good, "no", &tls.Config{RootCAs: a.Pool(), ServerName: "redis.example"}, "not valid"},
		"a client without a certificate":        {good, "yes", trusting, afterwards},
		"a client with an expired certificate":  {good, "yes", &tls.Config{RootCAs: a.Pool(), Certificates: []tls.Certificate{expired}}, afterwards},
		"a client with a stranger's":            {good, "yes", &tls.Config{RootCAs: a.Pool(), Certificates: []tls.Certificate{stranger.Issue(time.Now().Add(time.Hour))}}, afterwards},
		"a server without TLS at the other end": {good, "plain", trusting, "timeout|no answer within"},
		"a client without TLS":                  {good, "no", nil, "EOF|reset by peer"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ask := tt.ask
			if ask == "plain" {
				ask = "no"
			}
			s, addr := redistest.StartTLS(t, a, tt.server, "--tls-auth-clients", ask)
			if tt.ask == "plain" {
				addr = s.Addr()
			}
			s.Do(t, "ACL", "SETUSER", "lock", "on", ">pass-word", "~*", "&*", "+@all")
			eachDriver(t, func(t *testing.T, open func(testing.TB, login) line) {
				refused(t, open, login{addr: addr, user: "lock", password: "pass-word", tls: tt.config}, tt.want)
			})
		})
	}
}

// trust is what a client needs that has no certificate of its own.
func trust(a *redistest.Authority) *tls.Config { return &tls.Config{RootCAs: a.Pool()} }

// refused checks that the login fails in time, for a reason that matches want, and that
// the error and the log tell no secrets.
func refused(t *testing.T, open func(testing.TB, login) line, in login, want string) {
	t.Helper()
	e := new(evidence)
	in.logger = e.logger()
	b := newSpy(open(t, in))
	// A request may take 2.5 s: go-redis dials five times before it says why.
	mu := dislock.New(b, "k", dislock.WithTTL(10*time.Second), dislock.WithLogger(e.logger()), dislock.WithHooks(e.hooks()))
	start := time.Now()
	_, err := mu.TryLockContext(context.Background())
	if took := time.Since(start); took > 2500*time.Millisecond+soon {
		t.Errorf("TryLockContext: returned after %v, want 2.5s at most", took)
	}
	e.error(err)
	if !errors.Is(err, dislock.ErrUnavailable) || errors.Is(err, dislock.ErrHeld) {
		t.Errorf("TryLockContext: %v, want it to match ErrUnavailable", err)
	}
	if err == nil || !regexp.MustCompile(want).MatchString(err.Error()) {
		t.Errorf("TryLockContext: %v, want it to say %q", err, want)
	}
	if in.password != "" && strings.Contains(e.String()+clientLog.String(), in.password) {
		t.Errorf("the password is shown: %s", e)
	}
	e.clean(t, b.tokens())
}

// TestSilentHandshake holds that a call returns when its ctx ends though the server
// accepts connections and says nothing, not even in the handshake.
func TestSilentHandshake(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0") // the kernel accepts for it
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	eachDriver(t, func(t *testing.T, open func(testing.TB, login) line) {
		b := open(t, login{addr: l.Addr().String(), tls: &tls.Config{InsecureSkipVerify: true}})
		mu := dislock.New(b, "k", dislock.WithTTL(800*time.Millisecond))
		ctx, cancel := context.WithTimeout(context.Background(), 100*time.Millisecond)
		defer cancel()
		start := time.Now()
		_, err := mu.LockContext(ctx)
		if took := time.Since(start); took > soon {
			t.Errorf("LockContext: returned after %v, want 100ms", took)
		}
		if !errors.Is(err, context.DeadlineExceeded) || !errors.Is(err, dislock.ErrUnavailable) {
			t.Errorf("LockContext: %v, want it to match context.DeadlineExceeded and ErrUnavailable", err)
		}
		start = time.Now()
		if mu.TryLock() {
			t.Error("TryLock succeeded")
		}
		if took := time.Since(start); took > soon {
			t.Errorf("TryLock: returned after %v, want 200ms", took)
		}
	})
}
