package loggers

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/actually-robust-training/art/loggers/neptunetest"
	"github.com/actually-robust-training/art/record"
	"github.com/actually-robust-training/art/record/recordtest"
)

// A server that loses its answers, is slow, breaks off and lets tokens expire gets
// each point once, at its own step.
func TestNeptuneGetsThroughFaults(t *testing.T) {
	s := useNeptune(t)
	for _, f := range []neptunetest.Fault{
		{Operation: "config", Times: 1, Status: 503},
		{Operation: "oauth-token", Times: 1, Reset: true},
		{Operation: "experiments", Times: 1, Lose: true},
		{Operation: "attributes", Times: 1, Cut: true},
		{Operation: "operations", Times: 2, Lose: true},
		{Operation: "operations", Times: 1, Cut: true},
		{Operation: "operations", Times: 1, Reset: true},
		{Operation: "operations", Times: 1, Status: 429, Header: map[string]string{"Retry-After": "0.01"}},
		{Operation: "operations", Times: 1, Status: 401, Body: `{"errorType":"AUTHORIZATION_TOKEN_EXPIRED"}`},
		{Operation: "operations", Times: 1, Status: 502, Body: "<html>"},
		{Operation: "operations", Times: 1, Delay: 20 * time.Millisecond},
	} {
		s.Inject(f)
	}
	l := &Neptune{Spool: t.TempDir(), W: io.Discard}
	l.courierPatience = hasty
	const n = 5000
	require.NoError(t, toNeptune(t, l, n))
	assertLosses(t, s, n)
	assert.Equal(t, []string{"iris 7Q2K"}, []string{s.Runs()[0].Fields["sys/name"].Value.(string)})
	for _, e := range s.Errors() {
		assert.Contains(t, e.Description, "strictly increasing", "only what came twice")
	}
}

// Files arrive whole, however often they have to be begun.
func TestNeptuneUploadsGetThroughFaults(t *testing.T) {
	s, dir := useNeptune(t), t.TempDir()
	s.SetLimits(neptunetest.Limits{MaxSinglePart: 1000, MinChunk: 1000})
	for _, f := range []neptunetest.Fault{
		{Operation: "upload", Times: 1, Reset: true},
		{Operation: "upload", Times: 1, Status: 200, Body: "<html>"},
		{Operation: "start", Times: 1, Lose: true},
		{Operation: "start", Times: 1, Status: 500},
		{Operation: "part", After: 1, Times: 1, Reset: true},
		{Operation: "part", Times: 1, Lose: true},
		{Operation: "part", Times: 1, Status: 400, Body: "Length of stream does not match given range"},
		{Operation: "part", After: 2, Times: 1, Status: 404, Body: "no such upload"},
		{Operation: "finish", Times: 1, Lose: true},
		{Operation: "finish", Times: 1, Cut: true},
		{Operation: "uploadFileSetTar", Times: 1, Lose: true},
		{Operation: "uploadFileSetTar", Times: 1, Status: 401},
	} {
		s.Inject(f)
	}
	content := bytes.Repeat([]byte("0123456789"), 350)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "a.bin"), content, 0o644))
	l := &Neptune{Spool: t.TempDir(), W: io.Discard, courierPatience: hasty}
	recordtest.Emit(t, l, record.Event{Seq: 1, Kind: record.RunStart, Name: "iris", Text: "7Q2K"})
	require.NoError(t, l.LogFile("small", "txt", []byte("small")))
	require.NoError(t, l.LogCheckpoint("last", filepath.Join(dir, "a.bin")))
	s.SetLimits(neptunetest.Limits{MaxSinglePart: 3000, MinChunk: 1000})
	require.NoError(t, l.LogFiles("set", dir))
	require.NoError(t, l.Close())
	fields := s.Runs()[0].Fields
	assert.Equal(t, "small", string(fields["small"].Content))
	assert.Equal(t, content, fields[checkpointsPath+"last"].Content)
	assert.Equal(t, map[string][]byte{"a.bin": content}, fields["set"].Files)
	assert.Empty(t, s.Errors())
}

// Tokens that live for moments, by the clock of the server, are renewed as often.
func TestNeptuneTokensExpire(t *testing.T) {
	s := useNeptune(t)
	s.SetTokenLife(250 * time.Millisecond)
	l := &Neptune{Spool: t.TempDir(), W: io.Discard}
	recordtest.Emit(t, l, record.Event{Seq: 1, Kind: record.RunStart, Name: "iris", Text: "7Q2K"})
	s.Inject(neptunetest.Fault{Operation: "operations", Delay: 80 * time.Millisecond})
	recordtest.Emit(t, l, scalars(2, 8001)...)
	require.NoError(t, l.Close())
	assertLosses(t, s, 8000)
	count := map[string]int{}
	for _, r := range s.Requests() {
		count[r.Operation]++
	}
	assert.Greater(t, count["token"], 1, "%v", count)
	assert.Empty(t, s.Errors())
}

// The server hears that the run goes on, and what it says to that changes nothing.
func TestNeptunePings(t *testing.T) {
	s := useNeptune(t)
	l := &Neptune{Spool: t.TempDir(), W: io.Discard}
	recordtest.Emit(t, l, record.Event{Seq: 1, Kind: record.RunStart, Name: "iris", Text: "7Q2K"})
	require.NoError(t, l.Close())
	require.Equal(t, 1, s.Runs()[0].Pings, "at once")
	c := l.out.(*courier)
	var heart beater = c.sender.to.(*neptune)
	assert.Equal(t, 10*time.Second, heart.pulse())
	heart.beat(t.Context(), c.sender.at)
	assert.Equal(t, 2, s.Runs()[0].Pings)
	s.Inject(neptunetest.Fault{Operation: "ping", Status: 404})
	heart.beat(t.Context(), c.sender.at)
	heart.beat(t.Context(), position{})
	assert.Equal(t, 2, s.Runs()[0].Pings)
}

func TestNeptuneTroubles(t *testing.T) {
	for _, c := range []struct {
		name  string
		fault neptunetest.Fault
		want  string
		once  bool // there is no second attempt
	}{
		{"wrong key", neptunetest.Fault{Operation: "config", Status: 401, Body: "who\nare you?"}, "(it does not take the token in NEPTUNE_API_TOKEN: 401 Unauthorized: who are you?): they are kept in", true},
		{"forbidden", neptunetest.Fault{Operation: "experiments", Status: 403}, "(403 Forbidden)", true},
		{"not Neptune", neptunetest.Fault{Operation: "config", Status: 404, Body: "<html>"}, "(404 Not Found: <html>)", true},
		{"redirect", neptunetest.Fault{Operation: "config", Status: 302, Header: map[string]string{"Location": "http://user:" + secret + "@elsewhere/login"}}, "it redirects to http://user:xxxxx@elsewhere/login", true},
		{"overloaded", neptunetest.Fault{Status: 503, Body: "busy"}, "(503 Service Unavailable: busy)", false},
		{"come back later", neptunetest.Fault{Operation: "operations", Status: 429, Header: map[string]string{"Retry-After": "3600"}}, "(429 Too Many Requests)", false},
		{"limit", neptunetest.Fault{Operation: "operations", Status: 422, Body: `{"title":"Monthly hours are used up"}`}, "(422: Monthly hours are used up)", true},
		{"archived", neptunetest.Fault{Operation: "operations", Status: 400, Body: `{"errorType":"WRITE_ACCESS_DENIED_TO_ARCHIVED_PROJECT"}`}, "(400: WRITE_ACCESS_DENIED_TO_ARCHIVED_PROJECT)", true},
		{"no project", neptunetest.Fault{Operation: "get", Status: 404}, `(project "acme/iris": 404 Not Found)`, true},
		{"bad request", neptunetest.Fault{Operation: "experiments", Status: 400, Body: "no"}, "(400 Bad Request: no)", true},
		{"version 3", neptunetest.Fault{Operation: "config", Status: 200, Body: `{"apiUrl":"x","security":{"clientId":"c"}}`}, "it is a server of Neptune 3.x", true},
		{"another host", neptunetest.Fault{Operation: "config", Status: 200, Body: `{"apiUrl":"https://elsewhere"}`}, "it sends to the host elsewhere, and credentials go to 127.0.0.1 only: list the host in Neptune.Hosts", true},
		{"cut off", neptunetest.Fault{Operation: "config", Cut: true}, "unexpected EOF", false},
		{"half a token", neptunetest.Fault{Operation: "oauth-token", Status: 200, Body: `{"accessToken":"` + secret}, "its answer to signing in is not JSON", false},
		{"no token", neptunetest.Fault{Operation: "oauth-token", Status: 200, Body: `{"accessToken":"` + secret + `"}`}, "is not a JSON web token", true},
		{"reset", neptunetest.Fault{Reset: true}, "EOF", false},
		{"deleted", neptunetest.Fault{Operation: "operations", Status: 404, Body: `{"errorType":"EXPERIMENT_NOT_FOUND"}`}, "EXPERIMENT_NOT_FOUND", true},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := useNeptune(t)
			s.Inject(c.fault)
			l := &Neptune{Spool: t.TempDir(), Strict: true, W: io.Discard, courierPatience: hasty, linger: time.Millisecond}
			failed := func() (n int) {
				for _, r := range s.Requests() {
					if c.fault.Operation == "" || r.Operation == c.fault.Operation {
						n++
					}
				}
				return n
			}
			// With no hope Close ends at once; else when it has been seen to try again.
			l.Grace = time.Minute
			switch {
			case c.fault.Header["Retry-After"] != "":
				l.Grace = 200 * time.Millisecond
			case !c.once:
				l.Grace = time.Millisecond
			}
			begin := time.Now()
			recordtest.Emit(t, l, record.Event{Seq: 1, Kind: record.RunStart, Name: "iris", Text: "7Q2K"})
			recordtest.Emit(t, l, scalars(2, 4)...)
			if l.Grace == time.Millisecond {
				require.Eventually(t, func() bool { return failed() > 2 }, 20*time.Second, time.Millisecond)
			}
			err := l.Close()
			require.ErrorContains(t, err, c.want)
			assert.NotContains(t, err.Error(), "\n")
			assert.NotContains(t, err.Error(), secret)
			assert.Less(t, time.Since(begin), 30*time.Second)
			var strict interface{ Strict() bool }
			require.True(t, errors.As(err, &strict))
			assert.True(t, strict.Strict())
			if c.once {
				assert.Equal(t, 1, failed())
			}
			s.Recover()
			var lines []string
			require.NoError(t, Sync(t.Context(), l.Spool, func(line string) { lines = append(lines, line) }))
			assert.Equal(t, []string{"Neptune at " + s.URL + ": sent 4 events of run 7Q2K of iris, " + s.URL + "/acme/iris/e/IR-1"}, lines)
			assertNothingLeft(t, l.Spool)
			assertLosses(t, s, 3)
			require.NoError(t, Sync(t.Context(), l.Spool, func(line string) { t.Error(line) }))
		})
	}
}

func TestNeptuneOfAServerThatIsNotThere(t *testing.T) {
	useNeptune(t)
	gone := httptest.NewServer(http.NotFoundHandler())
	gone.Close()
	token := func(address string) string {
		return base64.StdEncoding.EncodeToString([]byte(`{"api_address":"` + address + `","api_key":"` + secret + `"}`))
	}
	t.Setenv("NEPTUNE_API_TOKEN", token(gone.URL))
	assert.ErrorContains(t, toNeptune(t, &Neptune{Spool: t.TempDir(), Grace: 300 * time.Millisecond, linger: time.Millisecond, courierPatience: hasty}, 3), "connection refused")

	encrypted := httptest.NewUnstartedServer(http.NotFoundHandler())
	encrypted.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, 0)
	encrypted.StartTLS()
	defer encrypted.Close()
	t.Setenv("NEPTUNE_API_TOKEN", token(strings.TrimPrefix(encrypted.URL, "https://"))) // https is the default
	begin := time.Now()
	assert.ErrorContains(t, toNeptune(t, &Neptune{Spool: t.TempDir(), Grace: time.Minute}, 3), "certificate")
	assert.Less(t, time.Since(begin), 30*time.Second, "there is no hope, so no waiting")
	t.Setenv("NEPTUNE_ALLOW_SELF_SIGNED_CERTIFICATE", "1")
	assert.ErrorContains(t, toNeptune(t, &Neptune{Spool: t.TempDir(), Grace: time.Minute}, 3), "404 Not Found")
}

// What the server does not carry out is put aside with its reason, and the rest
// arrives.
func TestNeptuneRefusals(t *testing.T) {
	s, dir := useNeptune(t), t.TempDir()
	l := &Neptune{Spool: t.TempDir(), W: io.Discard}
	recordtest.Emit(t, l,
		record.Event{Seq: 1, Kind: record.RunStart, Name: "iris", Text: "7Q2K", Settings: map[string]string{"directory": dir}},
		record.Event{Seq: 2, Kind: record.StepEnd, Step: "s", Outcome: record.Passed},
		record.Event{Seq: 3, Kind: record.Scalar, Step: "s", Name: "outcome", Value: 1},
		record.Event{Seq: 4, Kind: record.ArtifactSaved, Step: "s", Artifact: &record.Artifact{Path: "s/none.png"}},
		record.Event{Seq: 5, Kind: record.ArtifactSaved, Step: "s", Artifact: &record.Artifact{Path: "../none.png"}},
		record.Event{Seq: 6, Kind: record.Scalar, Step: "s", Name: "loss", Value: 1},
	)
	require.NoError(t, l.LogFiles("tree", filepath.Join(dir, "none")))
	err := l.Close()
	require.ErrorContains(t, err, "refused 4 of 7 events: they are kept in ")
	assert.Len(t, s.Runs()[0].Fields["s/loss"].Points, 1)
	file, err := os.Open(strings.TrimSuffix(l.spool.events, ".jsonl") + ".refused.jsonl")
	require.NoError(t, err)
	defer file.Close()
	var why []string
	for e, err := range record.NewReader(file).All() {
		require.NoError(t, err)
		if e.Name == "refused" {
			why = append(why, fmt.Sprint(e.Seq, " ", e.Text))
		}
	}
	require.Len(t, why, 4)
	assert.Equal(t, "3 Cannot use an operation for floatSeries on s/outcome, which has type string", why[0])
	assert.Contains(t, why[1], "4 the file s/artifacts/none.png: open ")
	assert.Contains(t, why[2], "outside of it")
	assert.Contains(t, why[3], "none")
}

// A request that is refused as a whole is divided until it is known why.
func TestNeptuneDividesWhatIsRefused(t *testing.T) {
	s := useNeptune(t)
	s.Inject(neptunetest.Fault{Operation: "operations", Times: 2, Status: 413, Body: "too large"})
	l := &Neptune{Spool: t.TempDir()}
	require.NoError(t, toNeptune(t, l, 3))
	assertLosses(t, s, 3)
}

// A server that does not answer in time is asked again, for the same.
func TestNeptuneTimeout(t *testing.T) {
	s := useNeptune(t)
	t.Setenv("NEPTUNE_REQUEST_TIMEOUT", "0.05")
	s.Inject(neptunetest.Fault{Operation: "operations", Times: 2, Delay: 100 * time.Millisecond})
	require.NoError(t, toNeptune(t, &Neptune{Spool: t.TempDir(), courierPatience: hasty}, 3))
	assertLosses(t, s, 3)
	for value, want := range map[string]time.Duration{"": 10 * time.Minute, "soon": 10 * time.Minute, "-1": 10 * time.Minute, "NaN": 10 * time.Minute, "2": 2 * time.Second} {
		t.Setenv("NEPTUNE_REQUEST_TIMEOUT", value)
		assert.Equal(t, want, neptuneTimeout(), value)
	}
}
