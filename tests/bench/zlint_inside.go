// zlint inside one process: what one certificate costs it when nothing is started for it. Run by lint.c from within
// the source of zlint v3; prints p50 and p99 of parsing and of linting.
package main

import (
	"encoding/pem"
	"fmt"
	"os"
	"sort"
	"time"

	"github.com/zmap/zcrypto/x509"
	"github.com/zmap/zlint/v3"
)

func show(what string, took []time.Duration) {
	sort.Slice(took, func(i, k int) bool { return took[i] < took[k] })
	n := len(took)
	us := func(d time.Duration) float64 { return float64(d.Nanoseconds()) / 1e3 }
	fmt.Printf("%-30s p50 %9.2f p99 %9.2f\n", what, us(took[n/2]), us(took[n-1-n/100]))
}

func measure(what, file string, rounds int) {
	text, err := os.ReadFile(file)
	if err != nil {
		return
	}
	block, _ := pem.Decode(text)
	var parse, lint []time.Duration
	for i := 0; i < rounds; i++ {
		t0 := time.Now()
		c, err := x509.ParseCertificate(block.Bytes)
		t1 := time.Now()
		if err != nil {
			return
		}
		zlint.LintCertificate(c)
		t2 := time.Now()
		if i >= rounds/10 {
			parse = append(parse, t1.Sub(t0))
			lint = append(lint, t2.Sub(t1))
		}
	}
	show("zlint "+what+": parse", parse)
	show("zlint "+what+": lint", lint)
}

func main() {
	base := os.Args[1]
	for _, name := range []string{"dv", "dvrsa", "ev", "smmvs", "sub"} {
		measure(name, base+"/"+name+".pem", 1000)
	}
}
