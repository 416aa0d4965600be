package arttest

import (
	"flag"
	"fmt"
	"os"
	"strconv"
)

// The flags of this package, each with an environment twin that counts when
// the flag is not given.
var (
	flagSeed  = flag.Uint64("art.seed", 0, "seed of every recipe, in place of its own (ART_SEED)")
	flagDir   = flag.String("art.dir", "", "folder that keeps the runs, in place of .art beside go.mod (ART_DIR)")
	flagQuiet = flag.Bool("art.quiet", false, "no progress lines (ART_QUIET)")
)

// settings are the flags of a test, read once when its recipe is made.
type settings struct {
	seed       uint64
	dir        string
	quiet      bool
	short      bool
	artifacts  bool
	failFast   bool
	runPattern string
}

func readSettings() (settings, error) {
	s := settings{seed: *flagSeed, dir: *flagDir, quiet: *flagQuiet}
	if v, ok := os.LookupEnv("ART_SEED"); ok && v != "" && s.seed == 0 {
		seed, err := strconv.ParseUint(v, 10, 64)
		if err != nil {
			return s, fmt.Errorf("ART_SEED=%q is not a whole number from 1 to 18446744073709551615", v)
		}
		s.seed = seed
	}
	if s.dir == "" {
		s.dir = os.Getenv("ART_DIR")
	}
	if v := os.Getenv("ART_QUIET"); v != "" && !s.quiet {
		quiet, err := strconv.ParseBool(v)
		if err != nil {
			return s, fmt.Errorf("ART_QUIET=%q is neither true nor false", v)
		}
		s.quiet = quiet
	}
	s.short = testFlag("short") == "true"
	s.artifacts = testFlag("artifacts") == "true"
	s.failFast = testFlag("failfast") == "true"
	s.runPattern = testFlag("run")
	return s, nil
}

// testFlag is the value of a flag of package testing, "" where this version of
// Go does not have it.
func testFlag(name string) string {
	if f := flag.Lookup("test." + name); f != nil {
		return f.Value.String()
	}
	return ""
}
