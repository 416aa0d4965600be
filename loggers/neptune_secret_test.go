package loggers

import (
	"bytes"
	"encoding/base64"
	"fmt"
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

// Without a token, or with a broken one, events are kept until there is one.
func TestNeptuneWithoutAToken(t *testing.T) {
	s := useNeptune(t)
	good := os.Getenv("NEPTUNE_API_TOKEN")
	for token, want := range map[string]string{
		"":          "there is no token: set NEPTUNE_API_TOKEN",
		"ANONYMOUS": "the hosted service that took it has ended",
		secret:      "the token in NEPTUNE_API_TOKEN is not one",
		base64.StdEncoding.EncodeToString([]byte(`{"api_key":"` + secret + `"}`)):                           "is not one",
		base64.StdEncoding.EncodeToString([]byte(`{"api_address":"ftp://` + secret + `@x","api_key":"k"}`)): "is not a URL",
	} {
		t.Setenv("NEPTUNE_API_TOKEN", token)
		err := toNeptune(t, &Neptune{Spool: t.TempDir()}, 3)
		assert.ErrorContains(t, err, want)
		assert.ErrorContains(t, err, "does not have 4 of 4 events")
		assert.NotContains(t, err.Error(), secret)
	}
	t.Setenv("NEPTUNE_API_TOKEN", "")
	dir := t.TempDir()
	require.Error(t, toNeptune(t, &Neptune{Spool: dir}, 3))
	t.Setenv("NEPTUNE_API_TOKEN", good)
	t.Setenv("NEPTUNE_PROJECT", "")
	assert.ErrorContains(t, toNeptune(t, &Neptune{Spool: t.TempDir()}, 3), "there is no project: set NEPTUNE_PROJECT")
	t.Setenv("NEPTUNE_PROJECT", "iris") // without its workspace
	assert.NoError(t, Sync(t.Context(), dir, func(string) {}))
	assertLosses(t, s, 3)
	t.Setenv("NEPTUNE_PROJECT", "rose")
	assert.ErrorContains(t, toNeptune(t, &Neptune{Spool: t.TempDir()}, 3), `0 projects are named "rose": say workspace/rose`)
}

// Keys go to the server that was named and nowhere else, and are written nowhere.
func TestNeptuneKeepsSecrets(t *testing.T) {
	s := useNeptune(t)
	s.SetKey(secret)
	token := s.Token()
	t.Setenv("NEPTUNE_API_TOKEN", token)
	s.KeepBodies()
	s.RedirectDownloads()
	away := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { t.Errorf("a redirect was followed: %s", r.URL) }))
	defer away.Close()
	dir := t.TempDir()
	var said bytes.Buffer
	l := &Neptune{Spool: dir, W: &said, linger: time.Millisecond}
	recordtest.Emit(t, l, record.Event{Seq: 1, Kind: record.RunStart, Name: "iris", Text: "7Q2K"})
	require.NoError(t, l.LogCheckpoint("last", "neptune_test.go"))
	require.Eventually(t, func() bool { id, _ := l.RunID(); return id != "" }, 10*time.Second, time.Millisecond)
	_, err := l.DownloadCheckpoint(t.Context(), "", "overfit", t.TempDir())
	require.Error(t, err)
	s.ExpireTokens(false) // so that they are refreshed
	s.Inject(neptunetest.Fault{Operation: "operations", After: 2, Status: 307, Header: map[string]string{"Location": away.URL + "/api"}})
	recordtest.Emit(t, l, scalars(2, 2000)...)
	err = l.Close()
	require.ErrorContains(t, err, "redirects are not followed")
	_, fetched := l.DownloadCheckpoint(t.Context(), "", "last", filepath.Join(dir, "checkpoint"))
	require.NoError(t, fetched)

	secrets := map[string]bool{secret: true, token: true}
	operations := map[string]int{}
	for _, r := range s.Requests() {
		operations[r.Operation]++
		shown := r.Header.Get("X-Neptune-Api-Token")
		bearer, signed := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
		switch r.Operation {
		case "config", "oauth-token":
			assert.Equal(t, []any{token, false}, []any{shown, signed})
		case "token", "object":
			assert.Equal(t, []any{"", false}, []any{shown, signed}, r.Operation)
		default:
			assert.Equal(t, []any{"", true}, []any{shown, signed}, r.Operation)
			secrets[bearer] = true
		}
		assert.Empty(t, r.Header.Values("Cookie"))
		for secret := range secrets {
			assert.NotContains(t, r.URL, secret)
			assert.NotContains(t, string(r.Body), secret)
		}
	}
	assert.Positive(t, operations["token"], "%v", operations)
	assert.Positive(t, operations["object"], "%v", operations)
	assert.Greater(t, len(secrets), 3)
	to := l.out.(*courier).sender.to.(*neptune)
	printed := fmt.Sprintf("%v %+v %#v %+v %+v %+v %+v", l, l, l, l.out, to, to.session, to.session.key)
	for secret := range secrets {
		assert.NotContains(t, err.Error(), secret)
		assert.NotContains(t, said.String(), secret)
		assert.NotContains(t, printed, secret)
		assertNowhere(t, dir, secret)
	}
}

// A server that repeats what it was shown is not quoted with it.
func TestNeptuneErrorsAreScrubbed(t *testing.T) {
	useNeptune(t)
	token := ""
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		http.Error(w, "who is "+r.Header.Get("X-Neptune-Api-Token")+"?", http.StatusUnauthorized)
	}))
	defer server.Close()
	token = base64.StdEncoding.EncodeToString([]byte(`{"api_address":"` + server.URL + `","api_key":"` + secret + `"}`))
	t.Setenv("NEPTUNE_API_TOKEN", token)
	err := toNeptune(t, &Neptune{Spool: t.TempDir()}, 3)
	assert.ErrorContains(t, err, "who is …?")
	assert.NotContains(t, err.Error(), token[:20])
}

// A spool is not sent with the token of another server.
func TestNeptuneSyncOfAnotherServer(t *testing.T) {
	s := useNeptune(t)
	s.Inject(neptunetest.Fault{Status: 403})
	l := &Neptune{Spool: t.TempDir()}
	require.Error(t, toNeptune(t, l, 3))
	other := useNeptune(t)
	assert.ErrorContains(t, Sync(t.Context(), l.Spool, func(string) {}), "the run belongs to "+s.URL+", and the token in NEPTUNE_API_TOKEN is of "+other.URL)
	assert.Empty(t, other.Requests())
}

func TestNeptuneTrust(t *testing.T) {
	trusts := trustedHosts("https://n.example:8080", []string{"auth.example"})
	for address, want := range map[string]string{
		"https://n.example/x": "", "https://127.0.0.1": "credentials go", "https://n.example:9/x": "", "https://auth.example": "",
		"http://n.example": "not encrypted", "https://n.example.evil": "credentials go to n.example only", "https://evil/n.example": "credentials go",
		"://": "not one", "": "not one", "ftp://n.example": "not encrypted",
	} {
		if err := trusts(address); want == "" {
			assert.NoError(t, err)
		} else {
			assert.ErrorContains(t, err, want, address)
		}
	}
	assert.NoError(t, trustedHosts("http://localhost:5000", nil)("http://127.0.0.1:80"))
	assert.Error(t, trustedHosts("http://localhost:5000", nil)("http://127.0.0.1.evil"))
}
