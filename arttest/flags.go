package arttest

import (
	"flag"
	"fmt"
	"math"
	"os"
	"slices"
	"strconv"
	"strings"
)

// The flags of this package, each with an environment twin that counts when
// the flag is not given.
var (
	flagSeed    = flag.Uint64("art.seed", 0, "seed of every recipe, in place of its own (ART_SEED)")
	flagDir     = flag.String("art.dir", "", "folder that keeps the runs, in place of .art; relative to go.mod (ART_DIR)")
	flagFresh   = flag.Bool("art.fresh", false, "run steps that passed before though nothing changed; false reuses them even with -count and in CI (ART_FRESH)")
	flagLoggers = flag.String("art.loggers", "", "log to these, too, as wandb,mlflow; the test must import the package loggers (ART_LOGGERS)")
	flagQuiet   = flag.Bool("art.quiet", false, "no progress lines (ART_QUIET)")
)

// settings are the flags of a test, read once when its recipe is made.
type settings struct {
	seed                       uint64
	dir                        string
	loggers                    []string
	logged                     string // as -art.loggers or ART_LOGGERS, for messages
	quiet                      bool
	reuse                      bool // results of earlier runs
	short, artifacts, failFast bool
}

func readSettings() (settings, error) {
	given := map[string]bool{}
	flag.Visit(func(f *flag.Flag) { given[f.Name] = true })
	return settingsOf(given, os.Getenv)
}

// settingsOf reads the flags that are given, and the environment for the others.
func settingsOf(given map[string]bool, env func(string) string) (settings, error) {
	s := settings{seed: *flagSeed, dir: *flagDir, quiet: *flagQuiet}
	if given["art.seed"] && s.seed == 0 {
		return s, fmt.Errorf("-art.seed=0 is not a seed: seeds are whole numbers from 1 on")
	}
	if v := env("ART_SEED"); v != "" && !given["art.seed"] {
		seed, err := strconv.ParseUint(v, 10, 64)
		if err != nil || seed == 0 {
			return s, fmt.Errorf("ART_SEED=%q is not a seed: seeds are whole numbers from 1 to %d", v, uint64(math.MaxUint64))
		}
		s.seed = seed
	}
	if v := env("ART_DIR"); v != "" && !given["art.dir"] {
		s.dir = v
	}
	s.loggers, s.logged = namesIn(*flagLoggers), "-art.loggers="+*flagLoggers
	if v := env("ART_LOGGERS"); !given["art.loggers"] {
		s.loggers, s.logged = namesIn(v), fmt.Sprintf("ART_LOGGERS=%q", v)
	}
	if v := env("ART_QUIET"); v != "" && !given["art.quiet"] {
		quiet, err := strconv.ParseBool(v)
		if err != nil {
			return s, fmt.Errorf("ART_QUIET=%q is neither true nor false: set it to 1 or leave it out", v)
		}
		s.quiet = quiet
	}
	fresh, said := *flagFresh, given["art.fresh"]
	if v := env("ART_FRESH"); v != "" && !said {
		var err error
		if fresh, err = strconv.ParseBool(v); err != nil {
			return s, fmt.Errorf("ART_FRESH=%q is neither true nor false: set it to 1, to 0, or leave it out", v)
		}
		said = true
	}
	ci, _ := strconv.ParseBool(env("CI")) // what is no boolean is no true
	s.reuse = !fresh && (said || !ci && !given["test.count"])
	s.short = testFlag("short") == "true"
	s.artifacts = testFlag("artifacts") == "true"
	s.failFast = testFlag("failfast") == "true"
	return s, nil
}

// namesIn are the names in a list with commas, each once.
func namesIn(list string) []string {
	var names []string
	for name := range strings.SplitSeq(list, ",") {
		if name = strings.TrimSpace(name); name != "" && !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return names
}

// testFlag is the value of a flag of package testing, "" where this version of
// Go does not have it.
func testFlag(name string) string {
	if f := flag.Lookup("test." + name); f != nil {
		return f.Value.String()
	}
	return ""
}
