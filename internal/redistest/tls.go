package redistest

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"
)

// An Authority signs certificates for servers on the loopback and for their
// clients. It lives as long as the test and vouches for nobody else.
type Authority struct {
	tb   testing.TB
	key  *ecdsa.PrivateKey
	cert *x509.Certificate
}

// NewAuthority returns an Authority with a key of its own.
func NewAuthority(tb testing.TB) *Authority {
	tb.Helper()
	a := &Authority{tb: tb, key: newKey(tb)}
	template := &x509.Certificate{
		IsCA:                  true,
		BasicConstraintsValid: true,
		KeyUsage:              x509.KeyUsageCertSign,
	}
	a.cert = a.sign(template, template, &a.key.PublicKey, time.Now().Add(time.Hour))
	return a
}

// Pool returns what a client trusts that trusts a and nobody else.
func (a *Authority) Pool() *x509.CertPool {
	pool := x509.NewCertPool()
	pool.AddCert(a.cert)
	return pool
}

// Issue returns a certificate, good until then, that serves a server at 127.0.0.1
// as well as a client.
func (a *Authority) Issue(until time.Time) tls.Certificate {
	a.tb.Helper()
	key := newKey(a.tb)
	cert := a.sign(&x509.Certificate{
		KeyUsage:    x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
	}, a.cert, &key.PublicKey, until)
	return tls.Certificate{Certificate: [][]byte{cert.Raw}, PrivateKey: key, Leaf: cert}
}

// Files writes what a client needs who has its certificates in files: that of a, and
// cert with its key.
func (a *Authority) Files(cert tls.Certificate) (authority, certificate, key string) {
	a.tb.Helper()
	dir := a.tb.TempDir()
	authority, certificate, key = filepath.Join(dir, "ca.pem"), filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	if err := writePEM(authority, "CERTIFICATE", a.cert.Raw); err != nil {
		a.tb.Fatal(err)
	}
	if err := writeKeyPair(certificate, key, cert); err != nil {
		a.tb.Fatal(err)
	}
	return authority, certificate, key
}

// sign has a sign template, which parent has issued, and which has been good for a
// day, however short it is until then.
func (a *Authority) sign(template, parent *x509.Certificate, public *ecdsa.PublicKey, until time.Time) *x509.Certificate {
	a.tb.Helper()
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 120))
	if err != nil {
		a.tb.Fatal(err)
	}
	template.SerialNumber = serial
	template.Subject = pkix.Name{CommonName: "dislock test " + serial.Text(36)}
	template.NotBefore, template.NotAfter = time.Now().Add(-24*time.Hour), until
	der, err := x509.CreateCertificate(rand.Reader, template, parent, public, a.key)
	if err != nil {
		a.tb.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		a.tb.Fatal(err)
	}
	return cert
}

func newKey(tb testing.TB) *ecdsa.PrivateKey {
	tb.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		tb.Fatal(err)
	}
	return key
}

// StartTLS is [Start] for a server that speaks TLS as well, at the address it
// returns: it shows the certificate cert and trusts clients whom a vouches for.
// The port of [Server.Addr] stays without TLS, for the methods of Server. With
// "--tls-auth-clients", "no" among the arguments the server does not ask clients
// for a certificate; otherwise they need one. A redis-server that was built
// without TLS fails the test.
func StartTLS(tb testing.TB, a *Authority, cert tls.Certificate, args ...string) (s *Server, addr string) {
	tb.Helper()
	requireServer(tb)
	s, err := launch(func(port int, dir string) ([]string, error) {
		// A port that only a node of a cluster would use is free besides the first.
		secure := strconv.Itoa(port + busOffset)
		addr = net.JoinHostPort("127.0.0.1", secure)
		files := []string{
			"--tls-cert-file", filepath.Join(dir, "cert.pem"),
			"--tls-key-file", filepath.Join(dir, "key.pem"),
			"--tls-ca-cert-file", filepath.Join(dir, "ca.pem"),
		}
		if err := writeKeyPair(files[1], files[3], cert); err != nil {
			return nil, err
		}
		if err := writePEM(files[5], "CERTIFICATE", a.cert.Raw); err != nil {
			return nil, err
		}
		argv := append(plain(port, dir), "--tls-port", secure)
		return append(append(argv, files...), args...), nil
	})
	if err != nil {
		tb.Fatal(fmt.Errorf("no server with TLS: %w", err))
	}
	tb.Cleanup(s.Close)
	return s, addr
}

// plain is the command line of a server without persistence.
func plain(port int, dir string) []string {
	return []string{
		"--bind", "127.0.0.1", "--port", strconv.Itoa(port), "--dir", dir,
		"--save", "", "--appendonly", "no", "--loglevel", "warning",
	}
}

func writeKeyPair(certPath, keyPath string, cert tls.Certificate) error {
	der, err := x509.MarshalPKCS8PrivateKey(cert.PrivateKey)
	if err != nil {
		return err
	}
	if err := writePEM(keyPath, "PRIVATE KEY", der); err != nil {
		return err
	}
	return writePEM(certPath, "CERTIFICATE", cert.Certificate[0])
}

func writePEM(path, kind string, der []byte) error {
	return os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600)
}
