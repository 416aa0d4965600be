package main

import (
	"flag"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"
)

// settings are the flags.
type settings struct {
	rows                     []Row
	threads                  []int
	rounds                   int
	window                   time.Duration
	skipArt, skipHarness     bool
	write                    bool
	from, out, page, command string
}

func parse(args []string, cores int, output io.Writer) (s settings, err error) {
	f := flag.NewFlagSet("peers", flag.ContinueOnError)
	f.SetOutput(output)
	var names []string
	for _, r := range Rows() {
		names = append(names, r.Name)
	}
	rows := f.String("rows", "all", "rows to measure, separated by commas: all, none, "+strings.Join(names, ", "))
	threads := f.String("threads", "1,2", "numbers of threads, separated by commas")
	f.IntVar(&s.rounds, "rounds", 5, "rounds of fresh processes, of which medians are taken")
	f.DurationVar(&s.window, "window", time.Second, "how long to measure each row and engine in a round")
	f.BoolVar(&s.skipArt, "skip-art", false, "leave out the quickstart of the Python ART")
	f.BoolVar(&s.skipHarness, "skip-harness", false, "leave out the recipe against the bare loop")
	f.BoolVar(&s.write, "write", false, "put the table into -page")
	f.StringVar(&s.page, "page", "docs/performance.md", "page for -write")
	f.StringVar(&s.out, "out", "reports/bench-peers.json", "file for all that was measured")
	f.StringVar(&s.from, "from", "", "such a file, to make its table again and measure nothing")
	if err := f.Parse(args); err != nil {
		return s, err
	}
	if f.NArg() > 0 {
		return s, fmt.Errorf("unknown argument %q", f.Arg(0))
	}
	if s.rounds < 1 {
		return s, fmt.Errorf("-rounds %d: at least one is needed", s.rounds)
	}
	s.command = strings.TrimSpace("make bench-peers " + quoted(args))
	if s.rows, err = chosenRows(*rows); err != nil {
		return s, err
	}
	s.threads, err = chosenThreads(*threads, cores)
	return s, err
}

// quoted are the arguments as make wants them.
func quoted(args []string) string {
	if len(args) == 0 {
		return ""
	}
	return fmt.Sprintf("ARGS='%s'", strings.Join(args, " "))
}

func chosenRows(list string) ([]Row, error) {
	all := Rows()
	switch list {
	case "all":
		return all, nil
	case "none":
		return nil, nil
	}
	var rows []Row
	for _, name := range strings.Split(list, ",") {
		i := slices.IndexFunc(all, func(r Row) bool { return r.Name == strings.TrimSpace(name) })
		if i < 0 {
			return nil, fmt.Errorf("-rows: there is no row %q; -h lists them", name)
		}
		rows = append(rows, all[i])
	}
	return rows, nil
}

// chosenThreads leaves out numbers the machine does not have.
func chosenThreads(list string, cores int) ([]int, error) {
	var threads []int
	for _, word := range strings.Split(list, ",") {
		n, err := strconv.Atoi(strings.TrimSpace(word))
		if err != nil || n < 1 {
			return nil, fmt.Errorf("-threads: %q is not a number of threads", word)
		}
		if n <= cores {
			threads = append(threads, n)
		}
	}
	if len(threads) == 0 {
		return nil, fmt.Errorf("-threads %s: this machine has %d cores", list, cores)
	}
	slices.Sort(threads)
	return slices.Compact(threads), nil
}
