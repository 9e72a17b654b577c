package main

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
)

// A URL can hold a password anywhere once it is malformed, so these errors, and what
// else open returns, never quote more of it than the name of a query's option.
var (
	errURL       = errors.New("the URL can not be read: it should look like redis://user:password@host:port/0")
	errURLEscape = errors.New("the URL has an @ behind the hosts: in a password, write / ? # and @ as %2F %3F %23 and %40")
)

// open returns a client for a URL of one of these forms, each also with rediss for TLS:
//
//	redis://user:password@host:port/db
//	redis-sentinel://user:password@host:port,host:port/master
//	redis-cluster://user:password@host:port,host:port
//
// A query may follow, with the options of go-redis's ParseURL, ParseFailoverURL and
// ParseClusterURL, and those of [security]. Unlike there, user and password are those of the Redis servers also
// where sentinels are asked, who have sentinel_username and sentinel_password.
func open(text string) (redis.UniversalClient, error) {
	scheme, rest, found := strings.Cut(text, "://")
	if !found {
		return nil, errURL
	}
	secure, kind, _ := strings.Cut(scheme, "-")
	if secure != "redis" && secure != "rediss" {
		return nil, fmt.Errorf("the URL begins with neither of redis, redis-sentinel, redis-cluster, or rediss for TLS")
	}
	authority, tail := rest, ""
	if i := strings.IndexAny(rest, "/?#"); i >= 0 {
		authority, tail = rest[:i], rest[i:]
	}
	if strings.Contains(tail, "@") {
		return nil, errURLEscape
	}
	user, hosts := "", authority
	if i := strings.LastIndex(authority, "@"); i >= 0 {
		user, hosts = authority[:i+1], authority[i+1:]
	}
	// net/url knows one host only; the others go to where go-redis expects them.
	port := "6379"
	if kind == "sentinel" {
		port = "26379"
	}
	addrs := strings.Split(hosts, ",")
	for i, addr := range addrs {
		addrs[i] = withPort(addr, port)
	}
	u, err := url.Parse(secure + "://" + user + addrs[0] + tail)
	if err != nil {
		return nil, errURL
	}
	query, err := url.ParseQuery(u.RawQuery)
	if err != nil {
		return nil, errURL
	}
	query["addr"] = append(addrs[1:], query["addr"]...)
	tls := takeSecurity(query)

	switch kind {
	case "":
		if len(addrs) > 1 {
			return nil, errors.New("the URL names several hosts: that is for redis-sentinel:// and redis-cluster://")
		}
		delete(query, "addr")
		return openServer(u, query, tls)
	case "sentinel":
		return openSentinel(u, query, tls)
	case "cluster":
		return openCluster(u, query, tls)
	default:
		return nil, fmt.Errorf("the URL is for %q, which is neither sentinel nor cluster", kind)
	}
}

func openServer(u *url.URL, query url.Values, tls security) (redis.UniversalClient, error) {
	u.RawQuery = query.Encode()
	o, err := redis.ParseURL(u.String())
	if err != nil {
		return nil, unreadable(err)
	}
	if err := tls.apply(o.TLSConfig); err != nil {
		return nil, err
	}
	o.ContextTimeoutEnabled = true
	return redis.NewClient(o), nil
}

func openSentinel(u *url.URL, query url.Values, tls security) (redis.UniversalClient, error) {
	master := strings.Trim(u.Path, "/")
	if master == "" {
		return nil, errors.New("the URL lacks the name that the sentinels have for the master: redis-sentinel://host/NAME")
	}
	if strings.Contains(master, "/") {
		return nil, errors.New("the URL has a / in the name of the master: a database behind it is given as redis-sentinel://host/NAME?db=4")
	}
	u.Path, u.RawPath = "", ""
	query.Set("master_name", master)
	password, _ := u.User.Password()
	query.Set("username", u.User.Username())
	query.Set("password", password)
	u.User = url.UserPassword(query.Get("sentinel_username"), query.Get("sentinel_password"))
	query.Del("sentinel_username")
	query.Del("sentinel_password")
	u.RawQuery = query.Encode()
	o, err := redis.ParseFailoverURL(u.String())
	if err != nil {
		return nil, unreadable(err)
	}
	if err := tls.apply(o.TLSConfig); err != nil {
		return nil, err
	}
	o.ContextTimeoutEnabled = true
	// The word of a replica on a lock is worth nothing.
	o.ReplicaOnly, o.UseDisconnectedReplicas, o.RouteByLatency, o.RouteRandomly = false, false, false, false
	return redis.NewFailoverClient(o), nil
}

func openCluster(u *url.URL, query url.Values, tls security) (redis.UniversalClient, error) {
	if strings.Trim(u.Path, "/") != "" {
		return nil, errors.New("the URL names a database, and a Redis Cluster has but one")
	}
	u.RawQuery = query.Encode()
	o, err := redis.ParseClusterURL(u.String())
	if err != nil {
		return nil, unreadable(err)
	}
	if err := tls.apply(o.TLSConfig); err != nil {
		return nil, err
	}
	o.ContextTimeoutEnabled = true
	o.ReadOnly, o.RouteByLatency, o.RouteRandomly = false, false, false
	o.ClusterStateReloadInterval = time.Second // how soon a failover is noticed
	return redis.NewClusterClient(o), nil
}

func withPort(addr, port string) string {
	if _, _, err := net.SplitHostPort(addr); err == nil {
		return addr
	}
	host := strings.Trim(addr, "[]")
	if host == "" {
		host = "localhost"
	}
	return net.JoinHostPort(host, port)
}

// unreadable words an error of go-redis about a URL that net/url has read. What it
// quotes is a number or the name of an option.
func unreadable(err error) error {
	if parse := (*url.Error)(nil); errors.As(err, &parse) {
		return errURL
	}
	return fmt.Errorf("the URL can not be read: %s", strings.TrimPrefix(err.Error(), "redis: "))
}
