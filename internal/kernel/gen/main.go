// Command gen writes the assembly of package kernel, one group of functions a
// run:
//
//	go run . -group tile512 -out ../tile512_amd64.s -stubs ../tile512_amd64.go -pkg kernel
//
// It is a module of its own so that users of the engine do not depend on the
// assembler library. The layout of argument blocks is described in args.go and
// checked against the Go structs by a test of package kernel.
package main

import (
	"flag"
	"log"

	. "github.com/mmcloughlin/avo/build"
)

func main() {
	group := flag.String("group", "", "functions to write: tile256, tile512, dot256, dot512, copy, vector, pool")
	flag.Parse()
	groups := map[string]func(){
		"tile256": func() { tiles(avx2) },
		"tile512": func() { tiles(avx512) },
		"dot256":  func() { dots(avx2) },
		"dot512":  func() { dots(avx512) },
		"copy":    copies,
		"vector":  vectors,
		"pool":    pools,
	}
	write, ok := groups[*group]
	if !ok {
		log.Fatalf("no group %q", *group)
	}
	ConstraintExpr("amd64")
	write()
	Generate()
}
