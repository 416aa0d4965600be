// Peers compares this project with what its users would pick instead: PyTorch,
// stock gorgonia, and the Python ART. `make bench-peers` starts it from the root
// of the repository:
//
//	go run ./internal/peers [-rows NAMES] [-threads 1,2] [-rounds 5] [-skip-art] [-skip-harness] [-write]
//
// It makes Python environments in .venv, builds the Go sides (ours, a package of
// tests, and stock, a module of its own), checks that all engines compute the same
// losses from the same weights, and then measures one training iteration of each
// row of Rows with each engine in turn. Beside them stand the time that the
// arithmetic alone would take, what a recipe adds to a bare loop, and the
// quickstart of the Python ART. The table is printed as markdown and, with -write,
// put into docs/performance.md; reports/bench-peers.json has every measurement.
//
// A peer that cannot be installed, fails or computes something else is a line of
// the table. Progress goes to standard error. Ctrl-C ends the run and prints what
// was measured so far.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"time"
)

func main() {
	s, err := parse(os.Args[1:], runtime.NumCPU(), os.Stderr)
	if errors.Is(err, flag.ErrHelp) {
		return
	}
	if err == nil {
		err = compare(s)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "peers:", err)
		os.Exit(1)
	}
}

// compare measures, or reads what was measured, and shows the table.
func compare(s settings) error {
	var r *Report
	var err, interrupted error
	if s.from != "" {
		r, err = loadReport(s.from)
	} else {
		ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
		defer stop()
		r, err = measureAll(ctx, s)
		if r != nil && ctx.Err() != nil {
			interrupted, err = errors.New("interrupted; the table is not whole"), nil
		}
		if err == nil {
			err = r.save(s.out)
		}
	}
	if err != nil {
		return err
	}
	table := r.Markdown()
	fmt.Print(table)
	if s.write && interrupted == nil {
		return writePage(s.page, table)
	}
	return interrupted
}

// measureAll runs the parts that the settings ask for. With an error it returns
// what was measured before.
func measureAll(ctx context.Context, s settings) (*Report, error) {
	root, err := os.Getwd()
	if err != nil {
		return nil, err
	}
	if _, err := os.Stat(filepath.Join(root, "internal", "peers", "stock", "go.mod")); err != nil {
		return nil, fmt.Errorf("start it in the root of the repository: %w", err)
	}
	dir, err := os.MkdirTemp("", "art-peers-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir) //nolint:errcheck // the system empties its folder for scratch files

	r := &Report{
		Date: time.Now(), Command: s.command, Machine: machine(ctx, root), Load: load(), Rows: s.rows, Threads: s.threads, Rounds: s.rounds,
		Versions: map[string]string{}, Peaks: map[int][]float64{}, Wrong: map[string]string{},
	}
	b, problem, err := build(ctx, root, dir)
	if err != nil {
		return nil, err
	}
	if problem != nil {
		r.Problems = append(r.Problems, problem.Error())
	}
	p := newProgress(os.Stderr, time.Now)
	c := &comparison{Report: r, dir: dir, kernel: b.Kernel, progress: p, warmUp: s.window.Seconds() / 3, window: s.window.Seconds()}
	if len(s.rows) > 0 {
		c.engines = engines(root, b, r.python(ctx, root, "torch"))
		c.plan()
	}
	artPython := ""
	if !s.skipArt {
		artPython = r.python(ctx, root, "art")
		p.plan(quickstartSeconds * quickstartRuns)
	}
	if !s.skipHarness {
		p.plan(harnessSeconds() * float64(len(harnessTargets)*len(s.threads)))
	}
	p.begin = p.now()
	if len(s.rows) > 0 {
		if err := c.agree(ctx); err != nil {
			return r, err
		}
		if err := c.measure(ctx); err != nil {
			return r, err
		}
	}
	if !s.skipHarness {
		r.measureHarness(ctx, b.Ours, dir, p)
	}
	if !s.skipArt {
		r.measureQuickstart(ctx, root, b.Ours, artPython, dir, p)
	}
	return r, nil
}

// python makes an environment, or notes why it cannot and returns "".
func (r *Report) python(ctx context.Context, root, name string) string {
	python, err := pythonEnvironment(ctx, root, name)
	if err != nil {
		r.Problems = append(r.Problems, fmt.Sprintf("Python environment %s: %v", name, err))
		fmt.Fprintln(os.Stderr, r.Problems[len(r.Problems)-1])
		return ""
	}
	return python
}
