package main

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"math"
	"os"
	"strconv"
	"strings"
	"sync"
)

// peakRate measures what the cores can do at once, in GFLOP/s of float32: the
// fastest register tile of internal/kernel on operands in the first-level cache,
// in as many processes at the same time as there are threads.
func peakRate(ctx context.Context, kernel string, threads int) (float64, error) {
	rates, errs := make([]float64, threads), make([]error, threads)
	var all sync.WaitGroup
	for i := range threads {
		all.Go(func() {
			o, err := run(ctx, process{Dir: os.TempDir(), Env: []string{"GOMAXPROCS=1"},
				Command: []string{kernel, "-test.run=^$", "-test.bench=BenchmarkTile", "-test.benchtime=100ms"}})
			if err == nil {
				rates[i], err = largestRate(o.Output)
			}
			errs[i] = err
		})
	}
	all.Wait()
	sum := 0.0
	for i := range threads {
		if errs[i] != nil {
			return 0, errs[i]
		}
		sum += rates[i]
	}
	return sum, nil
}

// largestRate finds the largest GFLOP/s in the output of benchmarks.
func largestRate(output []byte) (float64, error) {
	best := math.Inf(-1)
	for lines := bufio.NewScanner(bytes.NewReader(output)); lines.Scan(); {
		words := strings.Fields(lines.Text())
		for i := 1; i < len(words); i++ {
			if words[i] != "GFLOP/s" {
				continue
			}
			rate, err := strconv.ParseFloat(words[i-1], 64)
			if err != nil {
				return 0, fmt.Errorf("benchmark line %q: %w", lines.Text(), err)
			}
			best = max(best, rate)
		}
	}
	if math.IsInf(best, -1) {
		return 0, fmt.Errorf("no rate in the benchmarks of internal/kernel: %.200s", output)
	}
	return best, nil
}
