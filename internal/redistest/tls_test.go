package redistest

import (
	"crypto/tls"
	"testing"
	"time"

	"github.com/gomodule/redigo/redis"
)

// TestStartTLS holds who gets through to a server with TLS, and who does not.
func TestStartTLS(t *testing.T) {
	t.Parallel()
	a, stranger := NewAuthority(t), NewAuthority(t)
	mine := a.Issue(time.Now().Add(time.Hour))
	ping := func(addr string, config *tls.Config) error {
		options := []redis.DialOption{
			redis.DialConnectTimeout(5 * time.Second), redis.DialReadTimeout(5 * time.Second), redis.DialWriteTimeout(5 * time.Second),
		}
		if config != nil {
			options = append(options, redis.DialUseTLS(true), redis.DialTLSConfig(config))
		}
		c, err := redis.Dial("tcp", addr, options...)
		if err != nil {
			return err
		}
		defer c.Close()
		_, err = c.Do("PING")
		return err
	}
	known := &tls.Config{RootCAs: a.Pool(), Certificates: []tls.Certificate{mine}}
	for name, tt := range map[string]struct {
		ask    string
		config *tls.Config
		good   bool
	}{
		"with a certificate":           {"yes", known, true},
		"without a certificate":        {"yes", &tls.Config{RootCAs: a.Pool()}, false},
		"that is not asked for one":    {"no", &tls.Config{RootCAs: a.Pool()}, true},
		"with a stranger's":            {"yes", &tls.Config{RootCAs: a.Pool(), Certificates: []tls.Certificate{stranger.Issue(time.Now().Add(time.Hour))}}, false},
		"that trusts somebody else":    {"no", &tls.Config{RootCAs: stranger.Pool()}, false},
		"that does not know about TLS": {"no", nil, false},
	} {
		t.Run("a client "+name, func(t *testing.T) {
			t.Parallel()
			s, addr := StartTLS(t, a, mine, "--tls-auth-clients", tt.ask)
			if err := ping(addr, tt.config); (err == nil) != tt.good {
				t.Errorf("PING: %v, want an error: %v", err, !tt.good)
			}
			s.Do(t, "PING")
		})
	}
}
