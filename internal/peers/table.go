package main

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
)

// quietLoad is the load average up to which nobody else is at work.
const quietLoad = 0.5

// Markdown is the report as it stands in docs/performance.md.
func (r *Report) Markdown() string {
	var b strings.Builder
	if r.Load > quietLoad {
		fmt.Fprintf(&b, "The machine was busy (load %.1f before the run): these figures are not final.\n\n", r.Load)
	}
	if len(r.Samples.Series) > 0 {
		r.writeRows(&b)
		r.writeMeans(&b)
		r.writeVariants(&b)
	}
	if len(r.Harness) > 0 {
		r.writeHarness(&b)
	}
	if len(r.Quickstart) > 0 {
		r.writeQuickstart(&b)
	}
	for _, p := range r.Problems {
		fmt.Fprintf(&b, "Could not run: %s\n\n", oneLine(p))
	}
	r.writeMachine(&b)
	return b.String()
}

func (r *Report) writeRows(b *strings.Builder) {
	b.WriteString("Milliseconds of one training iteration, and ratios: below 1 ours is faster. In brackets the ratio of the round in\n" +
		"which it was least and of that in which it was most.\n\n")
	b.WriteString("| row | threads | ours | PyTorch | its best way | ours / PyTorch | gorgonia | ours / gorgonia | floor | share of floor |\n")
	b.WriteString("|---|---|---|---|---|---|---|---|---|---|\n")
	for _, row := range r.Rows {
		for _, threads := range r.Threads {
			best := func(engine string) *Series { return r.Samples.Best(row.Name, threads, engine) }
			us, peer, old := best(ours), best(torch), best(stock)
			floor := r.floor(row, threads)
			way := "-"
			if peer != nil && peer.Variant != "" {
				way = peer.Variant
			}
			share := "-"
			if us != nil {
				share = percent(floor / us.Median())
			}
			fmt.Fprintf(b, "| %s | %d | %s | %s | %s | %s | %s | %s | %s | %s |\n", row.Title, threads,
				cell(us), cell(peer), way, ratioCell(us, peer), cell(old), ratioCell(us, old), milliseconds(floor), share)
		}
	}
	b.WriteString("\n")
}

// floor is the time the arithmetic of a row takes at the peak, in milliseconds.
func (r *Report) floor(row Row, threads int) float64 {
	return row.FLOP() / (Median(r.Peaks[threads]) * 1e9) * 1e3
}

// ratio of two medians, NaN if one is missing.
func ratio(a, b *Series) float64 {
	if a == nil || b == nil {
		return math.NaN()
	}
	return a.Median() / b.Median()
}

func ratioCell(a, b *Series) string {
	v := ratio(a, b)
	if math.IsNaN(v) {
		return "-"
	}
	rounds := Ratios(a.Rounds, b.Rounds)
	if len(rounds) < 2 {
		return fmt.Sprintf("%.2f", v)
	}
	return fmt.Sprintf("%.2f (%.2f to %.2f)", v, rounds[0], rounds[len(rounds)-1])
}

// cell is a median, or what was wrong.
func cell(s *Series) string {
	switch {
	case s == nil:
		return "-"
	case len(s.Rounds) == 0 && s.Problem != "":
		return "failed: " + oneLine(s.Problem)
	}
	return milliseconds(s.Median())
}

func (r *Report) writeMeans(b *strings.Builder) {
	b.WriteString("| geometric mean over the rows | threads | ours / PyTorch | ours / gorgonia |\n|---|---|---|---|\n")
	for _, threads := range r.Threads {
		var peers, olds []float64
		for _, row := range r.Rows {
			us := r.Samples.Best(row.Name, threads, ours)
			peers = append(peers, ratio(us, r.Samples.Best(row.Name, threads, torch)))
			olds = append(olds, ratio(us, r.Samples.Best(row.Name, threads, stock)))
		}
		fmt.Fprintf(b, "| | %d | %s | %s |\n", threads, number(GeometricMean(peers)), number(GeometricMean(olds)))
	}
	b.WriteString("\n")
}

// writeVariants lists all ways in which PyTorch was run.
func (r *Report) writeVariants(b *strings.Builder) {
	var lines []string
	for _, row := range r.Rows {
		for _, threads := range r.Threads {
			var ways []string
			for _, s := range r.Samples.Series {
				if s.Row != row.Name || s.Threads != threads || s.Engine != torch {
					continue
				}
				text := s.Variant + " " + cell(s)
				if s.Dropped {
					text += " (one round)"
				}
				ways = append(ways, text)
			}
			if len(ways) > 0 {
				lines = append(lines, fmt.Sprintf("| %s | %d | %s |\n", row.Title, threads, strings.Join(ways, "; ")))
			}
		}
	}
	if len(lines) > 0 {
		fmt.Fprintf(b, "PyTorch was run in these ways, milliseconds. A compiled one that lost by more than %.1f in the first round was measured\n"+
			"in that round only.\n\n| row | threads | ways |\n|---|---|---|\n%s\n", dropFactor, strings.Join(lines, ""))
	}
}

func (r *Report) writeHarness(b *strings.Builder) {
	b.WriteString("A recipe (event file, default probes of `steps.Overfit`) against a bare loop over the same learner, milliseconds of an\n" +
		"iteration:\n\n| bare loop | threads | batch | recipe adds |\n|---|---|---|---|\n")
	for _, h := range r.Harness {
		if h.Problem != "" {
			fmt.Fprintf(b, "| %s | %d | - | failed: %s |\n", milliseconds(h.Target), h.Threads, oneLine(h.Problem))
			continue
		}
		fmt.Fprintf(b, "| %s | %d | %d | %s |\n", milliseconds(Median(h.Bare)), h.Threads, h.BatchRows, percent(h.Share()))
	}
	b.WriteString("\n")
}

func (r *Report) writeQuickstart(b *strings.Builder) {
	b.WriteString("The quickstart of the Python ART, medians:\n\n" +
		"| | threads | whole process | recipe alone | imports | peak memory | installed |\n|---|---|---|---|---|---|---|\n")
	of := map[string]Quickstart{}
	for _, engine := range []string{ours, pythonART} {
		var wall, recipe, imports, peak []float64
		var last Quickstart
		for _, q := range r.Quickstart {
			if q.Engine != engine {
				continue
			}
			last = q
			if q.Problem == "" {
				wall, recipe, imports = append(wall, q.Wall), append(recipe, q.Recipe), append(imports, q.Imports)
				peak = append(peak, float64(q.Peak))
			}
		}
		if len(wall) == 0 {
			if last.Problem != "" {
				fmt.Fprintf(b, "| %s | %d | failed: %s | - | - | - | - |\n", engine, last.Threads, oneLine(last.Problem))
			}
			continue
		}
		q := Quickstart{Wall: Median(wall), Recipe: Median(recipe), Imports: Median(imports), Peak: int64(Median(peak))}
		of[engine] = q
		fmt.Fprintf(b, "| %s | %d | %.2f s | %.2f s | %.2f s | %d MB | %d MB |\n", engine, last.Threads, q.Wall, q.Recipe, q.Imports, q.Peak>>20, last.Installed>>20)
	}
	if us, peer := of[ours], of[pythonART]; us.Wall > 0 && peer.Wall > 0 {
		fmt.Fprintf(b, "| faster by | | %.1f | %.1f | | %.1f | |\n", peer.Wall/us.Wall, peer.Recipe/us.Recipe, float64(peer.Peak)/float64(max(us.Peak, 1)))
	}
	b.WriteString("\n")
}

func (r *Report) writeMachine(b *strings.Builder) {
	b.WriteString("| | |\n|---|---|\n")
	fmt.Fprintf(b, "| date | %s |\n| command | `%s` |\n| rounds | %d |\n", r.Date.Format("2006-01-02"), r.Command, r.Rounds)
	fmt.Fprintf(b, "| load before the run | %.2f |\n", r.Load)
	for _, f := range r.Machine {
		fmt.Fprintf(b, "| %s | %s |\n", f.Name, f.Value)
	}
	for _, name := range slices.Sorted(maps.Keys(r.Versions)) {
		fmt.Fprintf(b, "| %s | %s |\n", name, r.Versions[name])
	}
	for _, threads := range r.Threads {
		if peaks := r.Peaks[threads]; len(peaks) > 0 {
			fmt.Fprintf(b, "| peak, %s | %.0f GFLOP/s |\n", threadsOf(threads), Median(peaks))
		}
	}
}
