package main

import (
	"flag"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var update = flag.Bool("update", false, "rewrite the files in testdata")

// aReport has every kind of line: a peer that wins, one that failed, one that is
// missing, one that was dropped.
func aReport() *Report {
	rows, err := chosenRows("cnn-8-32-b16,mlp-b16,transformer-b32")
	if err != nil {
		panic(err)
	}
	r := &Report{
		Date: time.Date(2026, 1, 31, 12, 0, 0, 0, time.UTC), Command: "make bench-peers", Rows: rows, Threads: []int{1, 2}, Rounds: 3,
		Machine: []Fact{{"CPU", "A processor, 2 cores"}}, Load: 0.3, Versions: map[string]string{"PyTorch": "2.15.0", "Go": "go1.26"},
		Peaks: map[int][]float64{1: {60, 62, 61}, 2: {120, 122, 121}},
	}
	set := func(row string, threads int, engine, variant string, ms ...float64) *Series {
		s := r.Samples.Of(row, threads, engine, variant)
		for i, v := range ms {
			s.Rounds[i] = v
		}
		return s
	}
	set("cnn-8-32-b16", 1, ours, "", 2, 2.2, 2.1)
	set("cnn-8-32-b16", 1, stock, "", 20, 21, 22)
	set("cnn-8-32-b16", 1, torch, "eager", 4, 4.4, 5)
	set("cnn-8-32-b16", 1, torch, "compile", 9).Dropped = true
	set("cnn-8-32-b16", 1, torch, "channels_last", 3, 3.1, 3.2)
	set("cnn-8-32-b16", 2, ours, "", 1.2)
	set("mlp-b16", 1, ours, "", 0.7, 0.8, 0.75)
	set("mlp-b16", 1, torch, "eager", 0.5, 0.4, 0.6)
	set("mlp-b16", 1, stock, "").Problem = "panic: index out of range |3|\nwith a second line"
	set("transformer-b32", 2, ours, "", 123.4, 120, 130)
	set("transformer-b32", 2, torch, "eager", 100, 101, 102)
	r.Harness = []Harness{
		{Threads: 1, Target: 0.5, BatchRows: 6, Bare: []float64{0.5, 0.51, 0.49}, Recipe: []float64{0.51, 0.52, 0.5}},
		{Threads: 2, Target: 5, Problem: "out of time"},
	}
	r.Quickstart = []Quickstart{
		{Engine: ours, Threads: 2, Wall: 1, Recipe: 0.5, Peak: 50 << 20, Installed: 15 << 20},
		{Engine: pythonART, Threads: 2, Wall: 25, Recipe: 4, Imports: 20, Peak: 1100 << 20, Installed: 5800 << 20},
		{Engine: ours, Threads: 2, Wall: 1.2, Recipe: 0.7, Peak: 60 << 20, Installed: 15 << 20},
		{Engine: pythonART, Threads: 2, Problem: "no module named art", Installed: 5800 << 20},
	}
	return r
}

func TestMarkdown(t *testing.T) {
	bare := aReport()
	bare.Samples, bare.Harness, bare.Quickstart, bare.Load = Samples{}, nil, nil, 3.25
	bare.Problems = []string{"Python environment torch: no network"}
	failed := aReport()
	failed.Quickstart = failed.Quickstart[2:]
	failed.Samples.Series = failed.Samples.Series[:1]
	for name, r := range map[string]*Report{"whole": aReport(), "nothing": bare, "ours-alone": failed} {
		t.Run(name, func(t *testing.T) {
			got := r.Markdown()
			file := filepath.Join("testdata", name+".md")
			if *update {
				require.NoError(t, os.WriteFile(file, []byte(got), 0o644))
			}
			want, err := os.ReadFile(file)
			require.NoError(t, err)
			assert.Empty(t, cmp.Diff(string(want), got))
		})
	}
}

// A report that was saved gives the same tables.
func TestSave(t *testing.T) {
	file := filepath.Join(t.TempDir(), "reports", "peers.json")
	require.NoError(t, aReport().save(file))
	r, err := loadReport(file)
	require.NoError(t, err)
	assert.Equal(t, aReport().Markdown(), r.Markdown())
	_, err = loadReport(file + "x")
	assert.ErrorIs(t, err, os.ErrNotExist)
}

func TestFormat(t *testing.T) {
	for ms, want := range map[float64]string{0: "0", 123.4: "123", 12.34: "12.3", 1.234: "1.23", 0.1234: "0.123", 0.00264: "0.00264", 1234: "1234"} {
		assert.Equal(t, want, milliseconds(ms))
	}
	for share, want := range map[float64]string{0: "0.0 %", 0.0123: "1.2 %", -0.004: "-0.4 %", 0.5: "50 %", 1.2: "120 %"} {
		assert.Equal(t, want, percent(share))
	}
	assert.Equal(t, "a b / c", oneLine("a\n  b | c"))
}

func TestReplaceTable(t *testing.T) {
	page := "# Page\n" + beginMark + "\nold\n" + endMark + "\nafter\n"
	once, err := replaceTable(page, "| new |\n")
	require.NoError(t, err)
	assert.Equal(t, "# Page\n"+beginMark+"\n\n| new |\n\n"+endMark+"\nafter\n", once)
	twice, err := replaceTable(once, "| new |\n")
	require.NoError(t, err)
	assert.Equal(t, once, twice)
	for _, broken := range []string{"", beginMark + "\n", endMark + "\n" + beginMark + "\n"} {
		_, err := replaceTable(broken, "")
		assert.ErrorContains(t, err, "no line", "%q", broken)
	}
}

func TestLargestRate(t *testing.T) {
	got, err := largestRate([]byte("BenchmarkTile/go/vecs1 \t 10 \t 28290 ns/op\t 0.5792 GFLOP/s\n" +
		"BenchmarkTile/avx512/vecs3-2  17836  6977 ns/op  112.7 GFLOP/s\nPASS\n"))
	require.NoError(t, err)
	assert.Equal(t, 112.7, got)
	_, err = largestRate([]byte("PASS\n"))
	assert.ErrorContains(t, err, "no rate")
	_, err = largestRate([]byte("Benchmark x GFLOP/s\n"))
	assert.ErrorContains(t, err, "Benchmark x")
}

func TestDifference(t *testing.T) {
	tests := []struct {
		name      string
		want, got []float64
		problem   string
	}{
		{"equal", []float64{2, 1}, []float64{2, 1}, ""},
		{"rounding", []float64{2, 1}, []float64{2.001, 1}, ""},
		{"later iteration off", []float64{2, 1}, []float64{2, 1.01}, "loss 1.01 in iteration 1, ours 1"},
		{"not a number", []float64{2}, []float64{nan()}, "loss NaN in iteration 0"},
		{"too few", []float64{2, 1}, []float64{2}, "1 losses, want 2"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := difference(tt.want, tt.got)
			if tt.problem == "" {
				assert.NoError(t, err)
			} else {
				assert.ErrorContains(t, err, tt.problem)
			}
		})
	}
}

func nan() float64 { return Median(nil) }
