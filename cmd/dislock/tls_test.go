//go:build linux

package main

import (
	"net/url"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/dislock/dislock/internal/redistest"
)

// TestTLS locks on a server that wants a certificate of ours, and shows one of an
// authority that only the URL knows.
func TestTLS(t *testing.T) {
	t.Parallel()
	a := redistest.NewAuthority(t)
	mine := a.Issue(time.Now().Add(time.Hour))
	server, addr := redistest.StartTLS(t, a, mine, "--tls-auth-clients", "yes")
	ca, cert, key := a.Files(mine)
	for _, c := range []struct {
		options url.Values
		code    int
	}{
		{url.Values{"cacert": {ca}, "cert": {cert}, "key": {key}}, 0},
		{url.Values{"cacert": {ca}, "cert": {cert}, "key": {key}, "sni": {"127.0.0.1"}}, 0},
		{url.Values{"cacert": {ca}, "cert": {cert}, "key": {key}, "sni": {""}}, 0},
		{url.Values{"cacert": {ca}, "cert": {cert}, "key": {key}, "sni": {"redis.example"}}, exitUnavailable},
		{url.Values{"cacert": {ca}}, exitUnavailable},
		{url.Values{"cert": {cert}, "key": {key}}, exitUnavailable},
		{url.Values{"cacert": {ca}, "cert": {cert}}, exitUsage},
		{url.Values{"cacert": {key}}, exitUsage},
	} {
		p := start(t, server.Addr(), "run", "-wait", "1s", "-url", "rediss://"+addr+"?"+c.options.Encode(), "k", "--", "true")
		p.ends(c.code)
	}
}

// TestWhoseName is about the name that the certificates of several servers have to be for.
func TestWhoseName(t *testing.T) {
	t.Parallel()
	for options, want := range map[string]string{"": "a", "?sni=c": "c", "?sni=": ""} {
		client, err := open("rediss-cluster://a,b" + options)
		if err != nil {
			t.Fatal(err)
		}
		defer client.Close()
		if got := client.(*redis.ClusterClient).Options().TLSConfig.ServerName; got != want {
			t.Errorf("%s: %q, want %q", options, got, want)
		}
		other, err := open("rediss-sentinel://a,b/m" + options)
		if err != nil {
			t.Fatal(err)
		}
		defer other.Close()
		if got := other.(*redis.Client).Options().TLSConfig.ServerName; got != want {
			t.Errorf("sentinel%s: %q, want %q", options, got, want)
		}
	}
}
