package loggers

import (
	"context"
	"fmt"
	"image"
	"io"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// startRun begins a run in a scratch folder.
func startRun(t *testing.T, w WandB) *WandBRun {
	t.Helper()
	if w.Spool == "" {
		w.Spool = t.TempDir()
	}
	if w.W == nil {
		w.W = io.Discard
	}
	w.Project, w.Grace = "demo", time.Minute
	run, err := w.Start()
	require.NoError(t, err)
	return run
}

func TestWandBRun(t *testing.T) {
	s := toService(t)
	run := startRun(t, WandB{ID: "first1", Name: "first try", Tags: []string{"t1"}})
	require.NoError(t, run.Config.Update(map[string]any{"lr": 0.1, "model": map[string]any{"layers": 2}, "odd": math.NaN()}))
	require.NoError(t, run.Log(map[string]any{"loss": 1.0, "train/acc": 0.25, "n": 3, "text": "t", "truth": true, "none": nil, "list": []float64{1, math.Inf(1)}}))
	require.NoError(t, run.Log(map[string]any{"loss": math.NaN(), "up": math.Inf(1), "down": float32(math.Inf(-1)), "nested": map[string]int{"x": 1}}))
	picture := image.NewGray(image.Rect(0, 0, 4, 3))
	require.NoError(t, run.Log(map[string]any{
		"image": WandBImage{Image: picture, Caption: "c0"}, "many": []WandBImage{{Image: picture}, {Image: image.NewGray(image.Rect(0, 0, 4, 4))}},
		"hist": WandBHistogram{Counts: []float64{1, 2}, Edges: []float64{0, 1, 2}}, "page": WandBHTML("<p>"), "figure": WandBPlotly(`{"data":[]}`),
		"eval/table": WandBTable{Columns: []string{"a", "b"}, Rows: [][]any{{1, "x"}, {2.5, nil}}},
	}))
	require.NoError(t, run.LogAt(7, map[string]any{"a": 1.}))
	require.NoError(t, run.LogAt(7, map[string]any{"b": 2.}))
	require.NoError(t, run.Log(map[string]any{"c": 3.}))
	assert.ErrorContains(t, run.LogAt(7, map[string]any{"d": 3.}), "step 7 is over: the run is at step 8")
	require.NoError(t, run.LogAt(9, map[string]any{"e": 5.}))
	require.NoError(t, run.Summary.Set("best", 0.75))
	require.NoError(t, run.AddTags("t2"))
	require.NoError(t, run.DefineMetric("loss", "n"))
	require.NoError(t, run.Print("said\nit"))
	file := filepath.Join(t.TempDir(), "model.bin")
	for _, c := range []struct{ text, alias string }{{"hello\n", "best"}, {"hello\n", "best"}, {"world\n", "late"}} {
		require.NoError(t, os.WriteFile(file, []byte(c.text), 0o644))
		require.NoError(t, run.LogArtifact(WandBArtifact{Name: "ckpt", Type: "model", Metadata: map[string]any{"step": 3, "nan": math.NaN()}, Aliases: []string{c.alias},
			Files: map[string]string{"model.bin": file}}))
	}
	require.NoError(t, run.Save(file))
	assert.Equal(t, 0.1, run.Config.Get("lr"))
	require.NoError(t, run.Finish(3))
	require.NoError(t, run.Finish(0), "once is enough")
	assert.ErrorContains(t, run.Log(nil), "the run is finished")
	assert.Equal(t, s.URL+"/acme/demo/runs/first1", run.URL())

	got := s.Run("first1")
	assert.Equal(t, []any{"first try", []string{"t1", "t2"}, "failed", 3}, []any{got.DisplayName, got.Tags, got.State, got.ExitCode})
	assert.Equal(t, map[string]any{"layers": 2.}, got.Config["model"])
	require.Len(t, got.History, 5)
	var steps []any
	for _, row := range got.History {
		steps = append(steps, row["_step"])
	}
	assert.Equal(t, []any{0., 1., 2., 7., 9.}, steps)
	assert.Equal(t, []any{1., 0.25, 3., "t", true, nil, []any{1., math.Inf(1)}}, []any{got.History[0]["loss"], got.History[0]["train/acc"], got.History[0]["n"],
		got.History[0]["text"], got.History[0]["truth"], got.History[0]["none"], got.History[0]["list"]})
	assert.True(t, math.IsNaN(got.History[1]["loss"].(float64)))
	assert.Equal(t, []any{math.Inf(1), math.Inf(-1)}, []any{got.History[1]["up"], got.History[1]["down"]})
	assert.Equal(t, []any{1., 2., 3.}, []any{got.History[3]["a"], got.History[3]["b"], got.History[3]["c"]}, "one row")
	assert.Equal(t, []any{0.75, 5.}, []any{got.Summary["best"], got.Summary["e"]})
	assert.Equal(t, []any{"said", "it"}, []any{got.Console[1][27:], got.Console[2][27:]})
	for key, kind := range map[string]string{"image": "image-file", "page": "html-file", "figure": "plotly-file", "eval/table": "table-file"} {
		m := got.History[2][key].(map[string]any)
		assert.Equal(t, kind, m["_type"])
		assert.Len(t, got.Files[m["path"].(string)], int(m["size"].(float64)))
		assert.Contains(t, got.Uploaded, m["path"])
	}
	assert.Equal(t, "images/separated", got.History[2]["many"].(map[string]any)["_type"])
	assert.Equal(t, []byte("world\n"), got.Files["files/model.bin"])

	var names []string
	for _, a := range s.Artifacts() {
		names = append(names, a.Type+" "+a.Name+" "+strings.Join(a.Aliases, ","))
	}
	assert.Equal(t, []string{"run_table run-first1-evaltable-" + names[0][len(names[0])-13:len(names[0])-7] + " latest", "model ckpt best", "model ckpt latest,late"}, names)
	assert.Equal(t, "bf77a243672763f222c10f8ff28008bd", s.Artifacts()[1].Digest, "the example of the protocol")

	folder := t.TempDir()
	for alias, want := range map[string]string{"ckpt:best": "hello\n", "demo/ckpt:v1": "world\n", "acme/demo/ckpt": "world\n"} {
		paths, err := (&WandB{Project: "demo"}).Download(t.Context(), alias, folder)
		require.NoError(t, err)
		require.Equal(t, []string{filepath.Join(folder, "model.bin")}, paths)
		b, err := os.ReadFile(paths[0])
		require.NoError(t, err)
		assert.Equal(t, want, string(b))
	}
	_, err := (&WandB{Project: "demo"}).Download(t.Context(), "ckpt:none", folder)
	assert.ErrorContains(t, err, "there is no artifact ckpt:none in project demo of acme")
}

func TestWandBResumes(t *testing.T) {
	s := toService(t)
	run := startRun(t, WandB{ID: "r1", Notes: "old", Tags: []string{"t1"}})
	require.NoError(t, run.Config.Set("lr", 0.1))
	require.NoError(t, run.Log(map[string]any{"loss": 1., "kept": 1}))
	require.NoError(t, run.Log(map[string]any{"loss": math.NaN()}))
	require.NoError(t, run.Finish(0))
	for i, mode := range []string{"allow", "must", ""} {
		run = startRun(t, WandB{ID: "r1", Resume: mode})
		require.NoError(t, run.Config.Set(fmt.Sprint("new", i), 1))
		require.NoError(t, run.Log(map[string]any{"loss": i}))
		if mode != "" {
			file := filepath.Join(t.TempDir(), "f")
			require.NoError(t, os.WriteFile(file, []byte(mode), 0o644))
			require.NoError(t, run.LogArtifact(WandBArtifact{Name: "a", Type: "data", Files: map[string]string{"f": file}}))
		}
		require.NoError(t, run.Finish(0))
	}
	got := s.Run("r1")
	require.Len(t, got.History, 5)
	assert.Equal(t, 4., got.History[4]["_step"])
	assert.Equal(t, []any{0.1, 1., 1., 1.}, []any{got.Config["lr"], got.Config["new0"], got.Config["new1"], got.Config["new2"]})
	assert.Equal(t, []any{1., 2.}, []any{got.Summary["kept"], got.Summary["loss"]})
	assert.Equal(t, []string{"t1"}, got.Tags)
	assert.Equal(t, "old", got.Notes)

	run = startRun(t, WandB{ID: "r2", Resume: "must", Grace: time.Second})
	assert.ErrorContains(t, run.Finish(0), "run r2 does not exist in project demo, and Resume is must")
	run = startRun(t, WandB{ID: "r1", Resume: "never"})
	assert.ErrorContains(t, run.Finish(0), "run r1 exists in project demo, and Resume is never")
	s.DeleteRun("r1")
}

func TestWandBModes(t *testing.T) {
	s := toService(t)
	root := t.TempDir()
	var said strings.Builder
	run := startRun(t, WandB{Mode: "offline", Spool: root, W: &said})
	require.NoError(t, run.Log(map[string]any{"loss": 1., "image": WandBImage{Image: image.NewGray(image.Rect(0, 0, 2, 2))}}))
	require.NoError(t, run.Finish(0))
	assert.Empty(t, s.Requests())
	assert.Contains(t, said.String(), "is offline: art sync sends what is in "+root)
	t.Setenv("WANDB_MODE", "offline") // which is about runs, not about sending
	for i := range 2 {
		var lines []string
		require.NoError(t, Sync(t.Context(), root, func(line string) { lines = append(lines, line) }))
		assert.Len(t, lines, 1-i)
	}
	require.Len(t, s.Runs(), 1)
	assert.Equal(t, []any{1., "finished"}, []any{s.Runs()[0].Summary["loss"], s.Runs()[0].State})

	t.Setenv("WANDB_MODE", "disabled")
	none := t.TempDir()
	before := len(s.Requests())
	run = startRun(t, WandB{Spool: none})
	require.NoError(t, run.Log(map[string]any{"loss": 1., "table": WandBTable{Columns: []string{"a"}}}))
	require.NoError(t, run.Save("nothing"))
	require.NoError(t, run.LogArtifact(WandBArtifact{}))
	require.NoError(t, run.Finish(0))
	files, err := os.ReadDir(none)
	require.NoError(t, err)
	assert.Empty(t, files)
	assert.Len(t, s.Requests(), before)
}

func TestWandBMisuse(t *testing.T) {
	toService(t)
	for want, w := range map[string]WandB{
		`mode "on" is not known`:                 {Mode: "on"},
		`project "a/b"`:                          {Project: "a/b"},
		`run id "a b/"`:                          {ID: "a b/"},
		`tag "xxxx`:                              {Tags: []string{strings.Repeat("x", 65)}},
		`resume "perhaps" is not known`:          {Resume: "perhaps"},
		"is not a URL":                           {Address: "localhost"},
		"the service is at https://api.wandb.ai": {Address: "https://wandb.ai"},
	} {
		w.Spool = t.TempDir()
		_, err := w.Start()
		assert.ErrorContains(t, err, want)
		w.Strict = true
		_, err = w.Start()
		strict, ok := err.(interface{ Strict() bool })
		assert.True(t, ok && strict.Strict())
	}
	run := startRun(t, WandB{})
	defer func() { require.NoError(t, run.Finish(0)) }()
	for want, row := range map[string]any{
		"unsupported type":               func() {},
		"a map with keys of type int":    map[int]int{1: 1},
		"the picture is empty":           WandBImage{},
		"no such file":                   WandBImage{Path: "none.png"},
		"there are 0 pictures":           []WandBImage{},
		"it has 1 and 1":                 WandBHistogram{Counts: []float64{1}, Edges: []float64{1}},
		"no finite values":               WandBHistogram{Values: []float64{math.NaN()}},
		"it has 0 and 0":                 WandBTable{},
		"row 0 of the table has 0 cells": WandBTable{Columns: []string{"a"}, Rows: [][]any{{}}},
		"the figure is not JSON":         WandBPlotly("{"),
	} {
		assert.ErrorContains(t, run.Log(map[string]any{"x": row}), want)
	}
	assert.ErrorContains(t, run.Log(map[string]any{"_step": 1}), "begin with an underscore")
	assert.ErrorContains(t, run.Config.Set("_wandb", 1), "begin with an underscore")
	for want, a := range map[string]WandBArtifact{
		"its name has":   {Name: "a/b", Type: "t", Files: map[string]string{"a": "b"}},
		"type \"job\"":   {Name: "a", Type: "job", Files: map[string]string{"a": "b"}},
		"it has 0 files": {Name: "a", Type: "t"},
		"alias \"v3\"":   {Name: "a", Type: "t", Aliases: []string{"v3"}, Files: map[string]string{"a": "b"}},
		"no infinities":  {Name: "a", Type: "t", Metadata: map[string]any{"x": math.Inf(1)}, Files: map[string]string{"a": "b"}},
		"leads out":      {Name: "a", Type: "t", Files: map[string]string{"../a": os.Args[0]}},
		"no such file":   {Name: "a", Type: "t", Files: map[string]string{"a": "none"}},
	} {
		assert.ErrorContains(t, run.LogArtifact(a), want)
	}
}

// The button Stop reaches the training.
func TestWandBStops(t *testing.T) {
	s := toService(t)
	ctx, cancel := context.WithCancel(t.Context())
	run := startRun(t, WandB{ID: "r1", OnStop: cancel})
	require.Eventually(t, func() bool { return len(s.Runs()) == 1 }, 5*time.Second, time.Millisecond)
	s.StopRun("r1")
	require.NoError(t, run.Log(map[string]any{"loss": 1.}))
	require.NoError(t, run.Finish(1))
	assert.ErrorIs(t, ctx.Err(), context.Canceled)
}

// A run that broke off is gone on with, until it ends well.
func TestWandBResumesByItself(t *testing.T) {
	s := toService(t)
	t.Chdir(t.TempDir())
	var ids []string
	for _, code := range []int{1, 1, 0, 0} {
		run := startRun(t, WandB{Resume: "auto"})
		require.NoError(t, run.Log(map[string]any{"loss": 1.}))
		require.NoError(t, run.Finish(code))
		ids = append(ids, run.ID())
	}
	assert.Equal(t, []string{ids[0], ids[0], ids[0]}, ids[:3])
	assert.NotEqual(t, ids[0], ids[3])
	assert.Len(t, s.Run(ids[0]).History, 3)
}
