package loggers

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/go-resty/resty/v2"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/actually-robust-training/art/record"
	"github.com/actually-robust-training/art/record/recordtest"
)

func TestMain(m *testing.M) {
	if role := os.Getenv("LOGGERS_TEST_ROLE"); role != "" {
		if err := play(role, os.Getenv("LOGGERS_TEST_DIR"), os.Getenv("LOGGERS_TEST_SERVER")); err != nil {
			fmt.Fprintln(os.Stderr, role, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	flag.Parse()
	dir := ""
	if testing.Short() && os.Getenv("TMPDIR") == "" {
		if dir = memoryTemp(); dir != "" {
			_ = os.Setenv("TMPDIR", dir) // else it is only slower
		}
	}
	code := m.Run()
	if dir != "" {
		_ = os.RemoveAll(dir)
	}
	os.Exit(code)
}

// play is a process that trains and sends, or one that only sends. A training
// process goes on after what an earlier one emitted, up to killedEvents.
func play(role, dir, server string) error {
	switch role {
	case "cost-server":
		return serveForCosts()
	case "neptune":
		return playNeptune(dir)
	case "sync neptune":
		return syncNeptune(dir)
	case "mlflow-train", "mlflow-sync":
		return playMLflow(role, dir, server)
	case "wandb-train", "wandb-sync":
		return playWandB(role, dir)
	}
	to := overHTTP{newREST(server, nil)}
	if role == "sync" {
		return syncAll(context.Background(), dir, func(string) {}, func(position) (string, destination, error) { return "server", to, nil }, hasty)
	}
	c := quick(dir)
	if err := c.start(to, position{Logger: "ledger", Run: "7Q2K"}); err != nil {
		return err
	}
	for n := int(c.file.Seq()) + 1; n <= killedEvents; n++ {
		if err := c.Emit(scalars(n, n)[0]); err != nil {
			return err
		}
		time.Sleep(20 * time.Microsecond)
	}
	fmt.Println("trained")
	time.Sleep(time.Hour) // until it is killed: what is left is for sync
	return nil
}

const killedEvents = 2_000

// overHTTP is a ledger in another process.
type overHTTP struct{ *rest }

func (o overHTTP) deliver(ctx context.Context, _ *position, events []record.Event, again bool) error {
	var body bytes.Buffer
	w := record.NewWriter(&body)
	for _, e := range events {
		if err := w.Emit(e); err != nil {
			return err
		}
	}
	_, err := o.do(ctx, time.Second, http.MethodPost, "/events?again="+strconv.FormatBool(again), func(r *resty.Request) { r.SetBody(body.Bytes()) })
	return err
}

// serveLedger serves a ledger that now and then is slow, broken or overloaded.
func serveLedger(t *testing.T, l *ledger, random *rand.Rand) *httptest.Server {
	var mu sync.Mutex
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return
		}
		var events []record.Event
		for e, err := range record.NewReader(bytes.NewReader(body)).All() {
			if err != nil {
				http.Error(w, err.Error(), http.StatusBadRequest)
				return
			}
			events = append(events, e)
		}
		mu.Lock()
		trouble := random.IntN(12)
		mu.Unlock()
		switch trouble {
		case 0:
			http.Error(w, "overloaded", http.StatusServiceUnavailable)
			return
		case 1:
			panic(http.ErrAbortHandler)
		}
		err = l.deliver(context.Background(), &position{}, events, r.URL.Query().Get("again") == "true")
		switch {
		case err != nil:
			http.Error(w, err.Error(), http.StatusInternalServerError)
		case trouble == 2:
			panic(http.ErrAbortHandler) // everything has arrived, and the sender does not know
		case trouble == 3:
			time.Sleep(20 * time.Millisecond)
		}
	}))
	server.Config.ErrorLog = nil
	t.Cleanup(server.Close)
	return server
}

// Training and sending are killed at random moments, again and again, and in
// the end the server has every point once, in order.
func TestKilledProcessesSendEverythingOnce(t *testing.T) {
	random := rand.New(rand.NewPCG(9, 10))
	l := &ledger{}
	server := serveLedger(t, l, rand.New(rand.NewPCG(11, 12)))
	dir := t.TempDir()
	goesOn(t, filepath.Join(dir, spoolDir))
	kills := 16
	if testing.Short() {
		kills = 3
	}
	for i := range kills {
		role := "train"
		if i%3 == 2 {
			role = "sync"
		}
		process := start(t, role, dir, server.URL)
		time.Sleep(time.Duration(5+random.IntN(60)) * time.Millisecond)
		require.NoError(t, process.Process.Kill())
		_ = process.Wait() // it was killed
		assert.Empty(t, l.doubled)
	}
	process := start(t, "train", dir, server.URL)
	require.Eventually(t, func() bool { return bytes.Contains(process.Stdout.(*safeBuffer).Bytes(), []byte("trained")) }, 30*time.Second, 5*time.Millisecond)
	require.NoError(t, process.Process.Kill())
	_ = process.Wait()
	require.Eventually(t, func() bool { return start(t, "sync", dir, server.URL).Wait() == nil }, 30*time.Second, 5*time.Millisecond)
	assert.Empty(t, l.doubled, "arrived twice")
	assert.Empty(t, recordtest.Diff(scalars(1, killedEvents), l.events))
}

// goesOn says that the run goes on until the test ends, though its processes die: they
// look into the spool to see how far it has come.
func goesOn(t *testing.T, folder string) {
	t.Helper()
	require.NoError(t, os.MkdirAll(folder, 0o755))
	held, err := holdFolder(folder)
	require.NoError(t, err)
	t.Cleanup(func() { _ = held.Close() })
}

func start(t *testing.T, role, dir, server string) *exec.Cmd {
	t.Helper()
	exe, err := os.Executable()
	require.NoError(t, err)
	cmd := exec.Command(exe)
	cmd.Env = append(os.Environ(), "LOGGERS_TEST_ROLE="+role, "LOGGERS_TEST_DIR="+dir, "LOGGERS_TEST_SERVER="+server)
	cmd.Stdout, cmd.Stderr = &safeBuffer{}, os.Stderr
	require.NoError(t, cmd.Start())
	t.Cleanup(func() { _ = cmd.Process.Kill() })
	return cmd
}

type safeBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *safeBuffer) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *safeBuffer) Bytes() []byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	return bytes.Clone(s.b.Bytes())
}

// A position that another version wrote, or that is broken, is not guessed at.
func TestSyncErrors(t *testing.T) {
	dir := t.TempDir()
	c := startQuick(t, dir, hopelessNow)
	recordtest.Emit(t, c, scalars(1, 3)...)
	require.Error(t, c.Close())
	good, err := os.ReadFile(c.spool.state)
	require.NoError(t, err)
	var state map[string]any
	require.NoError(t, json.Unmarshal(good, &state))
	for want, text := range map[string]string{
		"unexpected end":               `{"sent":`,
		"newer than 1: update":         `{"schema":2}`,
		`does not know, "ledger"`:      string(good),
		`does not know, "of tomorrow"`: `{"logger":"of tomorrow"}`,
	} {
		require.NoError(t, os.WriteFile(c.spool.state, []byte(text), 0o644))
		assert.ErrorContains(t, Sync(t.Context(), dir, func(line string) { t.Error(line) }), want)
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	assert.ErrorIs(t, Sync(ended, dir, nil), context.Canceled)
	assert.True(t, errors.Is(Sync(t.Context(), dir+"/none", nil), os.ErrNotExist))
}
