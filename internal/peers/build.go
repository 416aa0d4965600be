package main

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"
)

// binaries are the Go programs of the comparison.
type binaries struct{ Ours, Stock, Kernel string }

// build compiles them into a folder. Stock is empty, with a problem, if gorgonia
// cannot be built.
func build(ctx context.Context, root, dir string) (b binaries, problem error, err error) {
	b = binaries{Ours: filepath.Join(dir, "ours.test"), Stock: filepath.Join(dir, "stock"), Kernel: filepath.Join(dir, "kernel.test")}
	if err := command(ctx, root, "go", "test", "-c", "-o", b.Ours, "./internal/peers/ours"); err != nil {
		return b, nil, err
	}
	if err := command(ctx, root, "go", "test", "-c", "-o", b.Kernel, "./internal/kernel"); err != nil {
		return b, nil, err
	}
	if err := command(ctx, filepath.Join(root, "internal", "peers", "stock"), "go", "build", "-o", b.Stock, "."); err != nil {
		return binaries{Ours: b.Ours, Kernel: b.Kernel}, fmt.Errorf("gorgonia: %w", err), nil
	}
	return b, nil, nil
}

// The names of the engines in samples.
const (
	ours  = "ours"
	stock = "gorgonia"
	torch = "PyTorch"
)

// engines are those that could be built, ours first.
func engines(root string, b binaries, python string) []Engine {
	plain := func(Row) []string { return []string{""} }
	all := []Engine{{
		Name: ours, Command: []string{b.Ours, "-test.run=^TestWorker$"}, Env: []string{"ART_PEERS_WORKER=1"},
		Variants: plain, Runs: func(Row) bool { return true },
	}}
	if b.Stock != "" {
		all = append(all, Engine{
			Name: stock, Command: []string{b.Stock}, Variants: plain,
			Runs: func(r Row) bool { return r.Kind != "transformer" },
		})
	}
	if python != "" {
		all = append(all, Engine{
			Name: torch, Command: []string{python, filepath.Join(root, "internal", "peers", "python", "torch_worker.py")},
			Env:      []string{"TORCHINDUCTOR_CACHE_DIR=" + filepath.Join(root, ".venv", "inductor")},
			Variants: torchVariants, Runs: func(Row) bool { return true },
		})
	}
	return all
}

// torchVariants are the ways of running a row in PyTorch that its users would
// try. "fused" is the implementation of SGD, "compile" torch.compile.
func torchVariants(r Row) []string {
	v := []string{"eager", "eager, fused", "compile, fused"}
	if r.Kind == "cnn" {
		v = append(v, "channels_last", "channels_last, fused", "compile, channels_last, fused")
	}
	return v
}

// slow tells whether a variant takes long before its first iteration.
func slow(variant string) bool { return strings.HasPrefix(variant, "compile") }
