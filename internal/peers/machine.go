package main

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"runtime"
	"strings"
)

// machine says what the figures were taken on.
func machine(ctx context.Context, root string) []Fact {
	facts := []Fact{{"CPU", fmt.Sprintf("%s, %d cores%s", cpuField("model name"), runtime.NumCPU(), instructionSets())}}
	if o, err := run(ctx, process{Dir: root, Command: []string{"git", "describe", "--always", "--dirty"}}); err == nil {
		facts = append(facts, Fact{"commit", strings.TrimSpace(string(o.Output))})
	}
	return append(facts, Fact{"system", runtime.GOOS + "/" + runtime.GOARCH})
}

// load is the load average of the last minute, 0 where that is not known.
func load() float64 {
	text, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return 0
	}
	var average float64
	if _, err := fmt.Sscan(string(text), &average); err != nil {
		return 0
	}
	return average
}

// cpuField reads a field of the first processor, "unknown" where there is none.
func cpuField(name string) string {
	f, err := os.Open("/proc/cpuinfo")
	if err != nil {
		return "unknown"
	}
	defer f.Close() //nolint:errcheck // it is only read
	for lines := bufio.NewScanner(f); lines.Scan(); {
		if key, value, ok := strings.Cut(lines.Text(), ":"); ok && strings.TrimSpace(key) == name {
			return strings.TrimSpace(value)
		}
	}
	return "unknown"
}

// instructionSets are those that matter for the rates.
func instructionSets() string {
	flags := " " + cpuField("flags") + " "
	text := ""
	for _, set := range []string{"avx2", "avx512f"} {
		if strings.Contains(flags, " "+set+" ") {
			text += ", " + set
		}
	}
	return text
}
