package main

import (
	"fmt"
	"strings"
	"testing"

	"github.com/redis/go-redis/v9"
)

func TestURLs(t *testing.T) {
	for url, want := range map[string]string{
		"redis://":                "localhost:6379 0  ",
		"redis://host":            "host:6379 0  ",
		"redis://:p%40w@host:1/2": "host:1 2  p@w",
		"redis://user:pw@[::1]:1?db=3&read_timeout=1": "[::1]:1 3 user pw",
		"rediss://host":                      "host:6379 0   tls",
		"redis-cluster://u:pw@a,b:2,[::3]":   "a:6379 b:2 [::3]:6379 u pw",
		"redis-cluster://a:1?read_only=true": "a:1  ",
		"rediss-cluster://a":                 "a:6379   tls",
	} {
		client, err := open(url)
		if err != nil {
			t.Errorf("%s: %v", url, err)
			continue
		}
		var got string
		switch c := client.(type) {
		case *redis.Client:
			o := c.Options()
			got = fmt.Sprintf("%s %d %s %s", o.Addr, o.DB, o.Username, o.Password)
			if o.TLSConfig != nil {
				got += " tls"
			}
			if !o.ContextTimeoutEnabled {
				t.Errorf("%s: without ContextTimeoutEnabled", url)
			}
		case *redis.ClusterClient:
			o := c.Options()
			got = fmt.Sprintf("%s %s %s", strings.Join(o.Addrs, " "), o.Username, o.Password)
			if o.TLSConfig != nil {
				got += " tls"
			}
			if !o.ContextTimeoutEnabled || o.ReadOnly {
				t.Errorf("%s: without ContextTimeoutEnabled, or asks replicas", url)
			}
		}
		if got != want {
			t.Errorf("%s: %q, want %q", url, got, want)
		}
		client.Close()
	}
}

// TestSentinelURL is about who gets which password: the servers that of the URL.
func TestSentinelURL(t *testing.T) {
	client, err := open("redis-sentinel://u:pw@a,b:2/the%20one?sentinel_username=su&sentinel_password=spw&db=4&replica_only=true")
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	o := client.(*redis.Client).Options()
	if o.Addr != "FailoverClient" || o.Username != "u" || o.Password != "pw" || o.DB != 4 || !o.ContextTimeoutEnabled {
		t.Errorf("%s: user %q, password %q, database %d", o.Addr, o.Username, o.Password, o.DB)
	}
}

// TestBadURLs holds that what is wrong with a URL is said without the password, which
// may be what is wrong with it.
func TestBadURLs(t *testing.T) {
	for url, want := range map[string]string{
		"":                                      "-url",
		"host:6379":                             "redis://user",
		"http://:hunter2@host":                  "begins with",
		"redis-ring://:hunter2@host":            "neither",
		"redis://u:1/hunter2@host":              "%2F",
		"redis://u:1#hunter2@host":              "%23",
		"redis://u:1?hunter2@host":              "%3F",
		"redis://:hunter2/":                     "can not be read",
		"redis://:hunter2%@host":                "can not be read",
		"redis://:hunter2@host:port":            "can not be read",
		"redis://:hunter2@host/first":           "database",
		"redis://:hunter2@host?nonsense=1":      "nonsense",
		"redis://:hunter2@a,b":                  "several hosts",
		"redis-sentinel://:hunter2@host":        "name",
		"redis-sentinel://:hunter2@host/m/4":    "?db=4",
		"redis-sentinel://:hunter2@host/m?db=x": "database",
		"redis-cluster://:hunter2@host/1":       "database",
		"redis://:hunter2@host?sni=a":           "rediss",
		"rediss://:hunter2@host?cacert=hunter2": "cacert",
		"rediss://:hunter2@host?cert=hunter2":   "cert",
		"rediss://:hunter2@host?key=hunter2":    "key",
	} {
		_, err := env{getenv: func(string) string { return url }}.connect("")
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: %v, want %s", url, err, want)
		}
	}
}
