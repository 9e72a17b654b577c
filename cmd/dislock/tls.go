package main

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
)

// security is what a URL says of TLS beyond go-redis's skip_verify, by the names that
// redis-cli has for it: cacert, the file of the authorities to trust instead of the
// system's; cert and key, the files of a certificate of our own; and sni, the name that
// certificates have to be for. That is the first host of the URL unless sni says
// otherwise; with nothing behind it, it is each server's own.
type security struct {
	cacert, cert, key string
	sni               *string
}

// takeSecurity takes it out of the query, which go-redis would not understand.
func takeSecurity(query url.Values) (s security) {
	take := func(name string) string {
		defer query.Del(name)
		return query.Get(name)
	}
	if query.Has("sni") {
		name := take("sni")
		s.sni = &name
	}
	s.cacert, s.cert, s.key = take("cacert"), take("cert"), take("key")
	return s
}

// apply completes c, which is nil without TLS.
func (s security) apply(c *tls.Config) error {
	if s == (security{}) {
		return nil
	}
	if c == nil {
		return errors.New("the URL has options of TLS, which begins with rediss")
	}
	if s.sni != nil {
		c.ServerName = *s.sni
	}
	if s.cacert != "" {
		pem, err := os.ReadFile(s.cacert)
		if err != nil {
			return unusable("cacert", err)
		}
		c.RootCAs = x509.NewCertPool()
		if !c.RootCAs.AppendCertsFromPEM(pem) {
			return unusable("cacert", errors.New("there is no certificate in it"))
		}
	}
	if s.cert != "" || s.key != "" {
		pair, err := tls.LoadX509KeyPair(s.cert, s.key)
		if err != nil {
			return unusable("cert or of key", err)
		}
		c.Certificates = []tls.Certificate{pair}
	}
	return nil
}

// unusable does not quote the name of the file: see [errURL].
func unusable(option string, err error) error {
	if path := (*fs.PathError)(nil); errors.As(err, &path) {
		err = path.Err
	}
	return fmt.Errorf("the file of %s in the URL can not be used: %w", option, err)
}
