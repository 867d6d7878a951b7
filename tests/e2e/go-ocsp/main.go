// A relying party in Go: asks an OCSP responder by POST and by GET about serial numbers, verifies what comes with the
// issuer's certificate, and says what it was told, as JSON.
package main

import (
	"bytes"
	"crypto"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"math/big"
	"net/http"
	"net/url"
	"os"

	"golang.org/x/crypto/ocsp"
)

type told struct {
	Status string
	Reason int
	Method string
	Hash   string
}

func fail(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func fetch(method, address string, request []byte) []byte {
	var answer *http.Response
	var err error
	if method == "POST" {
		answer, err = http.Post(address, "application/ocsp-request", bytes.NewReader(request))
	} else {
		answer, err = http.Get(address + "/" + url.PathEscape(base64.StdEncoding.EncodeToString(request)))
	}
	fail(err)
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	fail(err)
	if answer.StatusCode != 200 || answer.Header.Get("Content-Type") != "application/ocsp-response" {
		fail(fmt.Errorf("%s: %s", answer.Status, answer.Header.Get("Content-Type")))
	}
	return body
}

func main() {
	text, err := os.ReadFile(os.Args[1])
	fail(err)
	block, _ := pem.Decode(text)
	issuer, err := x509.ParseCertificate(block.Bytes)
	fail(err)
	names := map[int]string{ocsp.Good: "good", ocsp.Revoked: "revoked", ocsp.Unknown: "unknown"}
	all := map[string][]told{}
	for _, digits := range os.Args[3:] {
		serial, ok := new(big.Int).SetString(digits, 16)
		if !ok {
			fail(fmt.Errorf("%s is no number", digits))
		}
		cert := &x509.Certificate{SerialNumber: serial}
		for _, hash := range []crypto.Hash{crypto.SHA1, crypto.SHA256} {
			request, err := ocsp.CreateRequest(cert, issuer, &ocsp.RequestOptions{Hash: hash})
			fail(err)
			for _, method := range []string{"POST", "GET"} {
				// Parses, verifies the responder's certificate by the issuer, and the answer by the responder.
				answer, err := ocsp.ParseResponseForCert(fetch(method, os.Args[2], request), cert, issuer)
				fail(err)
				all[digits] = append(all[digits], told{names[answer.Status], answer.RevocationReason, method, hash.String()})
			}
		}
	}
	fail(json.NewEncoder(os.Stdout).Encode(all))
}
