package loggers

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/actually-robust-training/art/record"
)

// mlflowPoints is how many points the killed processes log together.
const mlflowPoints = 1_500

// playMLflow is a process that trains, going on after what an earlier one has emitted,
// or one that only sends.
func playMLflow(role, dir, server string) error {
	if role == "mlflow-sync" {
		return syncAll(context.Background(), dir, func(string) {}, destinationOf, hasty)
	}
	m := &MLflow{Address: server, W: io.Discard, patience: hasty, linger: time.Millisecond}
	begin := record.Event{Seq: 1, Kind: record.RunStart, Name: "iris", Text: "7Q2K", Settings: map[string]string{"directory": dir}}
	if err := m.open(&begin); err != nil {
		return err
	}
	if m.courier.file.Seq() == 0 {
		if err := m.Emit(begin); err != nil {
			return err
		}
	}
	for n := max(int(m.courier.file.Seq()), 1) + 1; n <= mlflowPoints+1; n++ {
		if err := m.Emit(scalars(n, n)[0]); err != nil {
			return err
		}
		time.Sleep(20 * time.Microsecond)
	}
	fmt.Println("trained")
	time.Sleep(time.Hour) // until it is killed: what is left is for sync
	return nil
}

// Training and sending are killed at random moments, again and again, while the
// server, which counts what comes twice twice, loses answers: in the end it has every
// point once, in order.
func TestMLflowKilledProcessesSendEverythingOnce(t *testing.T) {
	random, losing, lost := rand.New(rand.NewPCG(15, 16)), rand.New(rand.NewPCG(17, 18)), 0
	s := &tracker{}
	s.after = func(_ http.ResponseWriter, r *http.Request) bool {
		if strings.HasSuffix(r.URL.Path, "log-batch") && losing.IntN(4) == 0 && lost < 60 {
			lost++
			panic(http.ErrAbortHandler) // everything has arrived, and the sender does not know
		}
		return false
	}
	address, dir := serveTracker(t, s), t.TempDir()
	goesOn(t, filepath.Join(dir, spoolDir))
	kills := 18
	if testing.Short() {
		kills = 3
	}
	for i := range kills {
		process := start(t, []string{"mlflow-train", "mlflow-train", "mlflow-sync"}[i%3], dir, address)
		time.Sleep(time.Duration(5+random.IntN(80)) * time.Millisecond)
		require.NoError(t, process.Process.Kill())
		_ = process.Wait() // it was killed
	}
	process := start(t, "mlflow-train", dir, address)
	require.Eventually(t, func() bool { return bytes.Contains(process.Stdout.(*safeBuffer).Bytes(), []byte("trained")) }, 30*time.Second, 5*time.Millisecond)
	require.NoError(t, process.Process.Kill())
	_ = process.Wait()
	require.Eventually(t, func() bool { return succeeds(start(t, "mlflow-sync", dir, address)) }, 30*time.Second, 5*time.Millisecond)
	s.mu.Lock()
	defer s.mu.Unlock()
	assertSteps(t, s, mlflowPoints)
	runs := 0
	for _, r := range s.requests {
		if r == "runs/create" {
			runs++
		}
	}
	assert.Equal(t, 1, runs)
	assert.Positive(t, lost)
}
