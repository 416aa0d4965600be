package loggers

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/actually-robust-training/art/loggers/wandbtest"
	"github.com/actually-robust-training/art/record"
)

// killedRows is how many iterations the killed processes log together.
const killedRows = 2_000

// playWandB is a process that trains, going on after what an earlier one has emitted,
// or one that only sends.
func playWandB(role, dir string) error {
	if role == "wandb-sync" {
		return syncAll(context.Background(), dir, func(string) {}, destinationOf, hasty)
	}
	w := &WandB{Project: "demo", W: io.Discard, patience: hasty, linger: time.Millisecond}
	begin := record.Event{Seq: 1, Kind: record.RunStart, Name: "iris", Text: "7Q2KABCD", Settings: map[string]string{"directory": dir}}
	var err error
	if w.out, err = w.open(&begin); err != nil {
		return err
	}
	c := w.out.Sink.(*courier)
	if c.file.Seq() == 0 {
		if err := w.out.Emit(begin); err != nil {
			return err
		}
	}
	for n := max(int(c.file.Seq()), 1) + 1; n <= killedRows; n++ {
		if n%500 == 0 {
			a := &record.Artifact{Name: "w", Path: fmt.Sprintf("s/w%d.safetensors", n), Kind: "weights"}
			if err := w.out.Emit(record.Event{Seq: int64(n), Kind: record.ArtifactSaved, Step: "s", Artifact: a}); err != nil {
				return err
			}
			continue
		}
		if err := w.out.Emit(scalars(n, n)[0]); err != nil {
			return err
		}
		time.Sleep(20 * time.Microsecond)
	}
	fmt.Println("trained")
	time.Sleep(time.Hour) // until it is killed: what is left is for sync
	return nil
}

// Training and sending to the service are killed at random moments, again and
// again, and in the end it has every row once, in order.
func TestWandBKilledProcessesSendEverythingOnce(t *testing.T) {
	s := toService(t)
	random := rand.New(rand.NewPCG(13, 14))
	s.Inject(wandbtest.Fault{Operation: "file_stream", Times: 3, Lose: true})
	dir := t.TempDir()
	require.NoError(t, os.Mkdir(filepath.Join(dir, "s"), 0o755))
	for n := 500; n <= killedRows; n += 500 {
		require.NoError(t, os.WriteFile(filepath.Join(dir, "s", fmt.Sprintf("w%d.safetensors", n)), fmt.Appendf(nil, "weights %d", n), 0o644))
	}
	goesOn(t, filepath.Join(dir, spoolDir))
	kills := 18
	if testing.Short() {
		kills = 3
	}
	for i := range kills {
		role := "wandb-train"
		if i%3 == 2 {
			role = "wandb-sync"
		}
		if i%4 == 1 {
			s.Inject(wandbtest.Fault{Operation: "file_stream", Times: 1, Lose: true})
		}
		process := start(t, role, dir, "")
		time.Sleep(time.Duration(5+random.IntN(80)) * time.Millisecond)
		require.NoError(t, process.Process.Kill())
		_ = process.Wait() // it was killed
	}
	s.Recover()
	process := start(t, "wandb-train", dir, "")
	require.Eventually(t, func() bool { return bytes.Contains(process.Stdout.(*safeBuffer).Bytes(), []byte("trained")) }, 30*time.Second, 5*time.Millisecond)
	require.NoError(t, process.Process.Kill())
	_ = process.Wait()
	require.Eventually(t, func() bool { return succeeds(start(t, "wandb-sync", dir, "")) }, 30*time.Second, 5*time.Millisecond)

	run := s.Run("7q2kabcd")
	next := 2
	for _, row := range run.History {
		if next%500 == 0 {
			next++
		}
		if !assert.EqualValues(t, next, row["s/iteration"]) {
			return
		}
		next++
	}
	assert.Equal(t, killedRows, next)
	artifacts := s.Artifacts()
	assert.Len(t, artifacts, killedRows/500)
	for _, a := range artifacts {
		assert.Zero(t, a.Version, "no version comes twice")
	}
}

func succeeds(process *exec.Cmd) bool { return process.Wait() == nil }
