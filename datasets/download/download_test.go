package download_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/actually-robust-training/art/datasets"
	"github.com/actually-robust-training/art/datasets/download"
)

// content is a file of some blocks that does not repeat itself.
func content() []byte {
	r := rand.New(rand.NewPCG(1, 2))
	b := make([]byte, 300_000)
	for i := range b {
		b[i] = byte(r.Uint32())
	}
	return b
}

// server keeps what it was asked for and answers by the handler.
type server struct {
	*httptest.Server
	mu     sync.Mutex
	ranges []string
}

func serve(t *testing.T, handler http.HandlerFunc) *server {
	t.Helper()
	s := &server{}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		s.ranges = append(s.ranges, r.Header.Get("Range"))
		s.mu.Unlock()
		handler(w, r)
	}))
	t.Cleanup(s.Close)
	return s
}

// whole serves content with ranges.
func whole(w http.ResponseWriter, r *http.Request) {
	http.ServeContent(w, r, "file.bin", time.Time{}, bytes.NewReader(content()))
}

// cut serves the first part of the content and breaks the connection.
func cut(w http.ResponseWriter, _ *http.Request) {
	b := content()
	w.Header().Set("Content-Length", fmt.Sprint(len(b)))
	_, _ = w.Write(b[:100_000])
	w.(http.Flusher).Flush()
	panic(http.ErrAbortHandler)
}

func file(urls ...string) datasets.File {
	b := content()
	return datasets.File{
		Folder: "set", Name: "file.bin", Bytes: int64(len(b)),
		SHA256: fmt.Sprintf("%x", sha256.Sum256(b)), URLs: urls,
	}
}

func TestGet(t *testing.T) {
	s := serve(t, whole)
	path := filepath.Join(t.TempDir(), "a", "b", "file.bin")
	var progress bytes.Buffer
	err := download.Fetcher{Progress: &progress, Every: time.Nanosecond}.Get(t.Context(), file(s.URL), path)
	require.NoError(t, err)
	got, err := os.ReadFile(path)
	require.NoError(t, err)
	assert.True(t, bytes.Equal(content(), got))
	assert.NoFileExists(t, path+".part")
	assert.Equal(t, []string{""}, s.ranges)
	lines := strings.Split(strings.TrimSpace(progress.String()), "\n")
	assert.Equal(t, "download set/file.bin: 0.3 MB", lines[0])
	assert.Contains(t, progress.String(), "download set/file.bin: 0.3 MB (100%)\n")
	assert.Contains(t, lines[len(lines)-1], "download set/file.bin: done in ")
}

func TestGetGoesOnAfterABrokenConnection(t *testing.T) {
	broken, good := serve(t, cut), serve(t, whole)
	path := filepath.Join(t.TempDir(), "file.bin")
	err := download.Fetcher{}.Get(t.Context(), file(broken.URL), path)
	require.ErrorContains(t, err, "the connection broke after 100000 of 300000 bytes, the next attempt goes on from there")
	assert.NoFileExists(t, path, "a part is not the file")
	var progress bytes.Buffer
	require.NoError(t, download.Fetcher{Progress: &progress}.Get(t.Context(), file(good.URL), path))
	assert.Equal(t, []string{"bytes=100000-"}, good.ranges, "only the rest is asked for")
	assert.Contains(t, progress.String(), "going on after 0.1 MB")
	got, err := os.ReadFile(path)
	require.NoError(t, err)
	assert.True(t, bytes.Equal(content(), got))
}

func TestGetTriesTheNextAddress(t *testing.T) {
	for name, bad := range map[string]http.HandlerFunc{
		"not found":      http.NotFound,
		"broken":         cut,
		"wrong content":  func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(make([]byte, 300_000)) },
		"too long":       func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(make([]byte, 400_000)) },
		"ignores ranges": func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(content()[:10]) },
	} {
		t.Run(name, func(t *testing.T) {
			first, second := serve(t, bad), serve(t, whole)
			path := filepath.Join(t.TempDir(), "file.bin")
			require.NoError(t, download.Fetcher{}.Get(t.Context(), file(first.URL, second.URL), path))
			got, err := os.ReadFile(path)
			require.NoError(t, err)
			assert.True(t, bytes.Equal(content(), got))
		})
	}
}

func TestGetFails(t *testing.T) {
	for _, c := range []struct {
		name    string
		handler http.HandlerFunc
		want    string
		part    bool
	}{
		{"not found", http.NotFound, "the server answers 404 Not Found", true},
		{"wrong content", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(make([]byte, 300_000)) },
			"the checksum is wrong: want sha256 ", false},
		{"too long", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(make([]byte, 300_001)) },
			"the file has more than the 300000 bytes", false},
		{"too short", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(content()[:7]) },
			"the connection broke after 7 of 300000 bytes", true},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := serve(t, c.handler)
			path := filepath.Join(t.TempDir(), "file.bin")
			err := download.Fetcher{}.Get(t.Context(), file(s.URL), path)
			require.ErrorContains(t, err, c.want)
			assert.ErrorContains(t, err, s.URL, "the error names the address")
			assert.NotContains(t, err.Error(), "\n")
			assert.NoFileExists(t, path)
			_, err = os.Stat(path + ".part")
			assert.Equal(t, c.part, err == nil, "what may be gone on from is kept, what is wrong is not")
		})
	}
	assert.ErrorContains(t, download.Fetcher{}.Get(t.Context(), datasets.File{Name: "x"}, "x"), "x has no address")
}

func TestGetRefusesARangeThatWasNotAskedFor(t *testing.T) {
	s := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Range", "bytes 5-299999/300000")
		w.WriteHeader(http.StatusPartialContent)
	})
	path := filepath.Join(t.TempDir(), "file.bin")
	require.NoError(t, os.WriteFile(path+".part", content()[:9], 0o644))
	err := download.Fetcher{}.Get(t.Context(), file(s.URL), path)
	require.ErrorContains(t, err, `asked for the bytes from 9 on, the server sent "bytes 5-299999/300000"`)
}

func TestGetRepairsAPartThatIsWrong(t *testing.T) {
	s := serve(t, whole)
	for name, part := range map[string][]byte{
		"longer than the file": make([]byte, 300_001), "other bytes": make([]byte, 1000), "whole": content(), "whole but wrong": make([]byte, 300_000),
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "file.bin")
			require.NoError(t, os.WriteFile(path+".part", part, 0o644))
			// The second address stands for the second attempt.
			require.NoError(t, download.Fetcher{}.Get(t.Context(), file(s.URL, s.URL), path))
			got, err := os.ReadFile(path)
			require.NoError(t, err)
			assert.True(t, bytes.Equal(content(), got))
		})
	}
}

func TestGetIsCancelled(t *testing.T) {
	ctx, cancel := context.WithCancelCause(t.Context())
	reason := errors.New("enough")
	s := serve(t, func(_ http.ResponseWriter, r *http.Request) {
		cancel(reason)
		<-r.Context().Done()
	})
	err := download.Fetcher{}.Get(ctx, file(s.URL, s.URL), filepath.Join(t.TempDir(), "file.bin"))
	require.ErrorIs(t, err, reason)
	assert.Len(t, s.ranges, 1, "the second address is not tried")
}

func TestGetTwiceAtOnce(t *testing.T) {
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		time.Sleep(50 * time.Millisecond)
		whole(w, r)
	})
	path := filepath.Join(t.TempDir(), "file.bin")
	var wait sync.WaitGroup
	for range 4 {
		wait.Go(func() { assert.NoError(t, download.Fetcher{}.Get(t.Context(), file(s.URL, s.URL), path)) })
	}
	wait.Wait()
	got, err := os.ReadFile(path)
	require.NoError(t, err)
	assert.True(t, bytes.Equal(content(), got))
}

func TestFilesFetch(t *testing.T) {
	s := serve(t, whole)
	dir := t.TempDir()
	files := datasets.Files{Dir: dir, Fetch: download.Fetcher{}.Get}
	for range 2 {
		path, err := files.Find(file(s.URL))
		require.NoError(t, err)
		assert.Equal(t, filepath.Join(dir, "set", "file.bin"), path)
	}
	assert.Len(t, s.ranges, 1, "the second time it is there")

	s.Close()
	files.Dir = t.TempDir()
	_, err := files.Find(file(s.URL))
	require.ErrorIs(t, err, fs.ErrNotExist)
	assert.ErrorContains(t, err, "set: no file file.bin in "+filepath.Join(files.Dir, "set"))
	assert.ErrorContains(t, err, "connection refused: download "+s.URL+" into the folder "+filepath.Join(files.Dir, "set"))
	assert.NotContains(t, err.Error(), "\n", "one line, for a skipped test")
}
