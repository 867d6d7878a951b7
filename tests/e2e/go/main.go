// A program for acmez as it is today, the library under caddy (run by test_clients_current.py, where the module proxy is
// reached): binds an account, orders by a profile, proves by the method that it is told, changes the account's key, asks
// for renewal information, replaces the certificate, and revokes the first. Prints what happened as JSON.
package main

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"net"
	"net/http"
	"os"
	"os/exec"
	"time"

	"github.com/mholt/acmez/v3"
	"github.com/mholt/acmez/v3/acme"
)

func must[T any](value T, err error) T {
	if err != nil {
		println(err.Error())
		os.Exit(1)
	}
	return value
}

func check(err error) { must(0, err) }

func newKey() *ecdsa.PrivateKey { return must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader)) }

// web answers http-01 on port 80 of an address.
type web struct {
	address string
	server  *http.Server
}

func (w *web) Present(_ context.Context, c acme.Challenge) error {
	listener, err := net.Listen("tcp", w.address+":80")
	if err != nil {
		return err
	}
	w.server = &http.Server{Handler: http.HandlerFunc(func(out http.ResponseWriter, in *http.Request) {
		if in.URL.Path == c.HTTP01ResourcePath() {
			_, _ = out.Write([]byte(c.KeyAuthorization))
		}
	})}
	go func() { _ = w.server.Serve(listener) }()
	return nil
}

func (w *web) CleanUp(context.Context, acme.Challenge) error { return w.server.Close() }

// alpn answers acme-tls/1 on port 443.
type alpn struct {
	address  string
	listener net.Listener
}

func (a *alpn) Present(_ context.Context, c acme.Challenge) error {
	certificate, err := acmez.TLSALPN01ChallengeCert(c)
	if err != nil {
		return err
	}
	a.listener, err = tls.Listen("tcp", a.address+":443",
		&tls.Config{Certificates: []tls.Certificate{*certificate}, NextProtos: []string{acmez.ACMETLS1Protocol}})
	if err != nil {
		return err
	}
	go func() {
		for {
			connection, err := a.listener.Accept()
			if err != nil {
				return
			}
			go func() {
				_ = connection.(*tls.Conn).Handshake()
				_ = connection.Close()
			}()
		}
	}()
	return nil
}

func (a *alpn) CleanUp(context.Context, acme.Challenge) error { return a.listener.Close() }

// record calls a program that publishes TXT records.
type record struct{ program string }

func (r record) Present(_ context.Context, c acme.Challenge) error {
	return exec.Command(r.program, "add", c.DNS01TXTRecordName(), c.DNS01KeyAuthorization()).Run()
}

func (r record) CleanUp(_ context.Context, c acme.Challenge) error {
	return exec.Command(r.program, "del", c.DNS01TXTRecordName(), c.DNS01KeyAuthorization()).Run()
}

func leafOf(chain []byte) *x509.Certificate {
	block, _ := pem.Decode(chain)
	return must(x509.ParseCertificate(block.Bytes))
}

func main() {
	directory, root, method, name, address, program := os.Args[1], os.Args[2], os.Args[3], os.Args[4], os.Args[5], os.Args[6]
	kid, mac, profile := os.Args[7], os.Args[8], os.Args[9]
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(must(os.ReadFile(root)))
	solvers := map[string]acmez.Solver{
		acme.ChallengeTypeHTTP01:    &web{address: address},
		acme.ChallengeTypeTLSALPN01: &alpn{address: address},
		acme.ChallengeTypeDNS01:     record{program},
	}
	client := acmez.Client{
		Client: &acme.Client{Directory: directory, HTTPClient: &http.Client{
			Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}}}},
		ChallengeSolvers: map[string]acmez.Solver{method: solvers[method]},
	}
	account := acme.Account{Contact: []string{"mailto:go@example.com"}, TermsOfServiceAgreed: true, PrivateKey: newKey()}
	check(account.SetExternalAccountBinding(ctx, client.Client, acme.EAB{KeyID: kid, MACKey: mac}))
	account = must(client.NewAccount(ctx, account))

	obtain := func(replaces *x509.Certificate) []byte {
		csr := must(acmez.NewCSR(newKey(), []string{name}))
		order := must(acmez.OrderParametersFromCSR(account, csr))
		order.Profile = profile
		order.Replaces = replaces
		return must(client.ObtainCertificate(ctx, order))[0].ChainPEM
	}
	first := obtain(nil)
	account = must(client.AccountKeyRollover(ctx, account, newKey()))
	info := must(client.GetRenewalInfo(ctx, leafOf(first)))
	second := obtain(leafOf(first))
	check(client.RevokeCertificate(ctx, account, leafOf(first), nil, 4))
	check(json.NewEncoder(os.Stdout).Encode(map[string]any{
		"first": string(first), "second": string(second), "window": info.SuggestedWindow.Start}))
}
