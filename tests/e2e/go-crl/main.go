// CRLs as Go reads them, with nothing but its own library: parses each file, verifies it with the issuer's
// certificate, and prints number, count of entries and serials as JSON. The first argument is the certificate.
package main

import (
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"os"
	"time"
)

func fail(path string, err error) {
	fmt.Fprintf(os.Stderr, "%s: %v\n", path, err)
	os.Exit(1)
}

func main() {
	text, err := os.ReadFile(os.Args[1])
	if err != nil {
		fail(os.Args[1], err)
	}
	block, _ := pem.Decode(text)
	issuer, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		fail(os.Args[1], err)
	}
	out := map[string][]string{}
	for _, path := range os.Args[2:] {
		der, err := os.ReadFile(path)
		if err != nil {
			fail(path, err)
		}
		list, err := x509.ParseRevocationList(der)
		if err != nil {
			fail(path, err)
		}
		if err := list.CheckSignatureFrom(issuer); err != nil {
			fail(path, err)
		}
		if list.NextUpdate.Before(time.Now()) {
			fail(path, fmt.Errorf("expired"))
		}
		serials := []string{}
		for _, entry := range list.RevokedCertificates {
			serials = append(serials, entry.SerialNumber.Text(16))
		}
		out[path] = serials
	}
	json.NewEncoder(os.Stdout).Encode(out)
}
