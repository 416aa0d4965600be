package loggers_test

import (
	"bufio"
	"cmp"
	"crypto/rand"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"runtime/metrics"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/actually-robust-training/art/loggers"
	"github.com/actually-robust-training/art/record"
)

var (
	cost       = flag.Bool("cost", false, "measure what loggers cost, beside the official clients: TestCosts")
	costWrite  = flag.Bool("cost.write", false, "put the table into docs/performance.md")
	costRounds = flag.Int("cost.rounds", 3, "how often everything is measured, in turn")
)

// costs are what a client costs. Times are microseconds of a call.
type costs struct {
	Version                  string
	Median, Mean, P9999, Max float64
	Slow                     float64 // calls of more than a millisecond, in a million
	Points                   float64 // a second, until all have arrived
	MB                       float64 // by which memory grew
	Calls                    int
	allocs                   float64
}

// opener begins a run of a logger, which may wait so long at its end.
type opener func(t *testing.T, dir string, grace time.Duration) (log func(i int, v float64) error, end func() error)

// contender is one of our loggers, and the official client that does the same.
type contender struct {
	name string
	// open returns the logger, after its run has begun; log is the call that is measured.
	open     opener
	points   int // that are sent to the end
	official string
	needs    string // requirements of that
	calls    int
}

// TestCosts prints the table of docs/performance.md: go test ./loggers -run TestCosts
// -cost -timeout 1h. The servers are processes of their own, the same for both.
func TestCosts(t *testing.T) {
	if !*cost {
		t.Skip("it takes a quarter of an hour and wants the machine for itself: -cost")
	}
	startCostServers(t)
	all := []contender{
		{name: "nothing: the loop and its clock", open: opened(func(string, time.Duration) record.Sink { return record.Discard }), points: 1_000_000},
		{name: "JSONLines", open: opened(func(dir string, grace time.Duration) record.Sink {
			return &loggers.JSONLines{Path: filepath.Join(dir, "all.jsonl")}
		}), points: 1_000_000},
		{name: "CSV", open: opened(func(dir string, grace time.Duration) record.Sink {
			return &loggers.CSV{Path: filepath.Join(dir, "all.csv")}
		}), points: 1_000_000},
		{name: "TensorBoard", open: opened(func(dir string, grace time.Duration) record.Sink { return &loggers.TensorBoard{Dir: dir} }), points: 1_000_000, official: "tensorboard", needs: "tensorboard-requirements.txt", calls: 100_000},
		{name: "WandB", open: opened(func(dir string, grace time.Duration) record.Sink {
			return &loggers.WandB{Spool: dir, W: io.Discard, Grace: grace}
		}), points: 100_000, official: "wandb", needs: "wandb-requirements.txt", calls: 20_000},
		{name: "WandB, Run.Log", open: openedRun, points: 100_000},
		{name: "Neptune", open: opened(func(dir string, grace time.Duration) record.Sink {
			return &loggers.Neptune{Spool: dir, W: io.Discard, Grace: grace}
		}), points: 100_000, official: "neptune", needs: "neptune-requirements.txt", calls: 20_000},
		{name: "MLflow", open: opened(func(dir string, grace time.Duration) record.Sink {
			return &loggers.MLflow{Experiment: "cost", Spool: dir, W: io.Discard, Grace: grace}
		}), points: 20_000, official: "mlflow", needs: "mlflow-requirements.txt", calls: 300},
	}
	warm := all[len(all)-1]
	warm.calls = 30
	measureOfficial(t, warm) // the server goes on starting for a while after it says that it runs
	ours, theirs := make([][]costs, len(all)), make([][]costs, len(all))
	for round := range *costRounds {
		for i, c := range all {
			ours[i] = append(ours[i], measureOurs(t, c))
			if c.official != "" {
				theirs[i] = append(theirs[i], measureOfficial(t, c))
			}
			t.Logf("round %d of %d: %s", round+1, *costRounds, c.name)
		}
	}
	var table strings.Builder
	table.WriteString("| logger | call, median µs | mean µs | p99.99 µs | max µs | over 1 ms, of a million | allocations a call | points/s, until all are there | memory, MB |\n|---|---|---|---|---|---|---|---|---|\n")
	for i, c := range all {
		mine := middle(ours[i])
		fmt.Fprintf(&table, "| **%s** | %s | %.0f | %s |\n", c.name, mine.times(), mine.allocs, mine.rest())
		if c.official == "" {
			continue
		}
		other := middle(theirs[i])
		fmt.Fprintf(&table, "| %s %s, Python | %s | | %s |\n| ratio | %s | %s | | | | | %s | |\n", c.official, other.Version, other.times(), other.rest(),
			short(other.Median/mine.Median), short(other.Mean/mine.Mean), short(mine.Points/other.Points))
	}
	text := fmt.Sprintf("Measured %s, %s/%s, %d cores, load %s, %d rounds; the median of them, of the longest call the longest.\n\n%s",
		time.Now().UTC().Format("2006-01-02"), runtime.GOOS, runtime.GOARCH, runtime.NumCPU(), load(), *costRounds, table.String())
	fmt.Println(text)
	if *costWrite {
		writeBetween(t, filepath.Join("..", "docs", "performance.md"), "loggers", text)
	}
}

func (c costs) times() string {
	return fmt.Sprintf("%s | %s | %s | %s | %.0f", short(c.Median), short(c.Mean), short(c.P9999), short(c.Max), c.Slow)
}

// short has two digits or more, and no exponent.
func short(v float64) string {
	switch {
	case v < 1:
		return fmt.Sprintf("%.2f", v)
	case v < 100:
		return fmt.Sprintf("%.1f", v)
	}
	return fmt.Sprintf("%.0f", v)
}

func (c costs) rest() string {
	points := fmt.Sprintf("%d,000", int(c.Points/1000+0.5))
	if c.Points > 1e6 {
		points = fmt.Sprintf("%.1f million", c.Points/1e6)
	}
	if c.Points < 2000 {
		points = fmt.Sprintf("%.0f", c.Points)
	}
	return fmt.Sprintf("%s | %.1f for %s", points, max(c.MB, 0), count(c.Calls))
}

func count(n int) string {
	if n >= 1_000_000 {
		return "a million"
	}
	if n >= 1000 {
		return fmt.Sprintf("%d,000", n/1000)
	}
	return strconv.Itoa(n)
}

// middle is the median of rounds, by each number.
func middle(rounds []costs) costs {
	of := func(get func(costs) float64) float64 {
		var all []float64
		for _, r := range rounds {
			all = append(all, get(r))
		}
		slices.Sort(all)
		return all[len(all)/2]
	}
	m := rounds[0]
	m.Median, m.Mean = of(func(c costs) float64 { return c.Median }), of(func(c costs) float64 { return c.Mean })
	m.P9999, m.Points, m.MB = of(func(c costs) float64 { return c.P9999 }), of(func(c costs) float64 { return c.Points }), of(func(c costs) float64 { return c.MB })
	m.Slow = of(func(c costs) float64 { return c.Slow })
	m.Max = slices.MaxFunc(rounds, func(a, b costs) int { return cmp.Compare(a.Max, b.Max) }).Max
	return m
}

// opened is a logger that a recipe would have.
func opened(sink func(dir string, grace time.Duration) record.Sink) opener {
	return func(t *testing.T, dir string, grace time.Duration) (func(int, float64) error, func() error) {
		s := sink(dir, grace)
		require.NoError(t, s.Emit(record.Event{Seq: 1, Time: time.Now(), Kind: record.RunStart, Name: "cost", Text: rand.Text()}))
		e := scalar()
		log := func(i int, v float64) error {
			e.Seq, e.Iteration, e.Value = int64(i+2), i, v
			e.Time = e.Time.Add(time.Millisecond)
			return s.Emit(e)
		}
		end := func() error {
			if c, ok := s.(io.Closer); ok {
				return c.Close()
			}
			return nil
		}
		return log, end
	}
}

// openedRun is a run of WandB without a recipe.
func openedRun(t *testing.T, dir string, grace time.Duration) (func(int, float64) error, func() error) {
	run, err := (&loggers.WandB{Spool: dir, Project: "cost", W: io.Discard, Grace: grace}).Start()
	require.NoError(t, err)
	row := map[string]any{}
	log := func(_ int, v float64) error {
		row["loss"] = v
		return run.Log(row)
	}
	return log, func() error { return run.Finish(0) }
}

// measureOurs logs a million points while they are being sent, with a look at every
// call and at the heap; and, from the begin, as many as are sent to the end.
func measureOurs(t *testing.T, c contender) costs {
	t.Helper()
	const calls = 1_000_000
	spent := make([]float64, calls)
	log, end := c.open(t, t.TempDir(), time.Millisecond)
	time.Sleep(1500 * time.Millisecond) // what a run begins with has been sent
	n := 0
	allocs := testing.AllocsPerRun(1000, func() {
		n++
		require.NoError(t, log(n, 0.5))
	})
	peak := watchHeap()
	for i := range spent {
		n++
		begin := time.Now()
		err := log(n, float64(i)/7)
		spent[i] = float64(time.Since(begin).Nanoseconds()) / 1000
		require.NoError(t, err)
	}
	m := costs{allocs: allocs, MB: peak(), Calls: calls}
	if err := end(); c.points == calls { // the others have no time to send a million
		require.NoError(t, err)
	}

	total := 0.
	for _, s := range spent {
		if total += s; s > 1000 {
			m.Slow++
		}
	}
	slices.Sort(spent)
	m.Median, m.Mean, m.P9999, m.Max = spent[calls/2], total/calls, spent[calls-1-calls/10_000], spent[calls-1]

	log, end = c.open(t, t.TempDir(), time.Hour)
	begin := time.Now()
	for i := range c.points {
		require.NoError(t, log(i, float64(i)/7))
	}
	require.NoError(t, end())
	m.Points = float64(c.points) / time.Since(begin).Seconds()
	return m
}

// watchHeap returns a function that says by how many MB the heap has grown at most.
func watchHeap() func() float64 {
	runtime.GC()
	sample := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}}
	metrics.Read(sample)
	before := sample[0].Value.Uint64()
	most, ended, done := before, make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		for {
			metrics.Read(sample)
			most = max(most, sample[0].Value.Uint64())
			select {
			case <-ended:
				return
			case <-time.After(2 * time.Millisecond):
			}
		}
	}()
	return func() float64 {
		close(ended)
		<-done
		return float64(most-before) / 1e6
	}
}

func measureOfficial(t *testing.T, c contender) (got costs) {
	t.Helper()
	exe, dir := python(t, c.needs), t.TempDir()
	script, err := filepath.Abs(filepath.Join("testdata", "official_cost.py"))
	require.NoError(t, err)
	cmd := exec.CommandContext(t.Context(), exe, script, c.official, dir, strconv.Itoa(c.calls))
	cmd.Env = append(os.Environ(), "HOME="+dir, "WANDB_DIR="+dir, "WANDB_CONFIG_DIR="+dir, "WANDB_CACHE_DIR="+dir, "WANDB_DATA_DIR="+dir,
		"WANDB_ERROR_REPORTING=false", "OAUTHLIB_INSECURE_TRANSPORT=1", "NO_PROXY=127.0.0.1")
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s", out)
	lines := strings.Split(strings.TrimSpace(string(out)), "\n")
	for _, line := range lines { // some clients have last words
		if strings.HasPrefix(line, `{"version"`) {
			require.NoError(t, json.Unmarshal([]byte(line), &got))
		}
	}
	require.NotZero(t, got.Calls, "%s", out)
	return got
}

// startCostServers starts stand-ins and a real MLflow, and sets the environment of
// clients.
func startCostServers(t *testing.T) {
	t.Helper()
	exe, err := os.Executable()
	require.NoError(t, err)
	cmd := exec.Command(exe)
	cmd.Env = append(os.Environ(), "LOGGERS_TEST_ROLE=cost-server")
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	require.NoError(t, err)
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	t.Cleanup(func() {
		_ = in.Close()
		_ = cmd.Wait() // clients may have left it in the middle of a request
	})
	for lines := bufio.NewScanner(out); lines.Scan() && lines.Text() != ""; {
		name, value, _ := strings.Cut(lines.Text(), "=")
		t.Setenv(name, value)
	}
	free, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	_, port, err := net.SplitHostPort(free.Addr().String())
	require.NoError(t, err)
	require.NoError(t, free.Close())
	store := t.TempDir()
	t.Setenv("MLFLOW_TRACKING_URI", serve(t, regexp.MustCompile(`Uvicorn running on (http://\S+)`), python(t, "mlflow-requirements.txt"), "-m", "mlflow", "server",
		"--host", "127.0.0.1", "--port", port, "--workers", "1", "--backend-store-uri", "sqlite:///"+filepath.Join(store, "mlflow.db"),
		"--artifacts-destination", filepath.Join(store, "artifacts")))
	home := t.TempDir()
	for name, value := range map[string]string{"WANDB_CONFIG_DIR": home, "NETRC": filepath.Join(home, "netrc"), "WANDB_MODE": "online", "NEPTUNE_MODE": "async"} {
		t.Setenv(name, value)
	}
}

// load is what else the machine is doing, where it can be had.
func load() string {
	b, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return "unknown"
	}
	first, _, _ := strings.Cut(string(b), " ")
	return first
}

// writeBetween replaces what is between two markers of a page.
func writeBetween(t *testing.T, path, name, text string) {
	t.Helper()
	page, err := os.ReadFile(path)
	require.NoError(t, err)
	begin, end := "<!-- "+name+": begin -->\n", "<!-- "+name+": end -->"
	before, rest, found := strings.Cut(string(page), begin)
	require.True(t, found, "%s has no %s", path, begin)
	_, after, found := strings.Cut(rest, end)
	require.True(t, found, "%s has no %s", path, end)
	require.NoError(t, os.WriteFile(path, []byte(before+begin+"\n"+text+"\n"+end+after), 0o644))
}
