// Package download fetches the files of public data sets over HTTP. It is the
// only part of the data packages that opens a connection, and it is apart from
// datasets, which it imports, so that whoever trains on a CSV file or on Iris
// does not link net/http. A recipe that may download hands it in:
//
//	data, err := datasets.MNIST(datasets.Files{Fetch: download.Fetcher{Progress: os.Stderr}.Get})
//
// A file appears under its name only when it is whole and its checksum is right.
// What arrived before a connection broke is kept beside it as name.part, and the
// next attempt asks for the rest.
package download

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"github.com/actually-robust-training/art/datasets"
)

// Fetcher fetches files. The zero value is silent and uses
// [http.DefaultClient].
type Fetcher struct {
	// Client makes the requests. Default [http.DefaultClient], which knows the
	// proxies of the environment.
	Client *http.Client
	// Progress receives lines about what is fetched: one at the start, one every
	// few seconds, one at the end. Nil: none.
	Progress io.Writer
	// Every is the time between two lines of progress. Default 2 s.
	Every time.Duration
}

// Get brings a file to path, from the first of its URLs that works. It fits
// [datasets.Files].Fetch. Its errors name every URL that was tried and why it
// failed.
func (f Fetcher) Get(ctx context.Context, file datasets.File, path string) error {
	if len(file.URLs) == 0 {
		return fmt.Errorf("%s has no address to fetch it from", file.Name)
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	var failed error
	for _, url := range file.URLs {
		err := f.from(ctx, url, file, path)
		if err == nil {
			return nil
		}
		failed = errors.Join(failed, fmt.Errorf("%s: %w", url, err))
		if ctx.Err() != nil {
			break
		}
	}
	return oneLine{failed}
}

// oneLine writes joined errors on one line, for messages that are one.
type oneLine struct{ error }

func (e oneLine) Unwrap() error { return e.error }

func (e oneLine) Error() string {
	list, ok := e.error.(interface{ Unwrap() []error })
	if !ok {
		return e.error.Error()
	}
	text := ""
	for i, err := range list.Unwrap() {
		if i > 0 {
			text += "; "
		}
		text += oneLine{err}.Error()
	}
	return text
}

// from fetches a file from one address: the rest of it, if a part is there.
func (f Fetcher) from(ctx context.Context, url string, file datasets.File, path string) error {
	part, err := openPart(ctx, path, file)
	if err != nil || part == nil {
		return err
	}
	defer func() { _ = part.Close() }() // closed below where it matters
	if part.done != file.Bytes || file.Bytes == 0 {
		if err := f.request(ctx, url, file, part); err != nil {
			return err
		}
	}
	if err := part.check(file); err != nil {
		_ = os.Remove(part.Name()) // the error that counts is the first
		return err
	}
	if err := errors.Join(part.Sync(), part.Close()); err != nil {
		return err
	}
	return os.Rename(part.Name(), path)
}

func (f Fetcher) request(ctx context.Context, url string, file datasets.File, part *partFile) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	request.Header.Set("Accept-Encoding", "identity") // bytes as they were published
	if part.done > 0 {
		request.Header.Set("Range", fmt.Sprintf("bytes=%d-", part.done))
	}
	client := f.Client
	if client == nil {
		client = http.DefaultClient
	}
	response, err := client.Do(request)
	if err != nil {
		return err
	}
	defer func() { _ = response.Body.Close() }() // only read
	switch response.StatusCode {
	case http.StatusPartialContent:
		if got := response.Header.Get("Content-Range"); !startsAt(got, part.done) {
			return fmt.Errorf("asked for the bytes from %d on, the server sent %q", part.done, got)
		}
	case http.StatusOK: // all of it, whatever was asked for
		if err := part.restart(); err != nil {
			return err
		}
	case http.StatusRequestedRangeNotSatisfiable:
		_ = os.Remove(part.Name()) // the part is longer than the file: it is not a part of it
		return fmt.Errorf("the server has less than the %d bytes that are here: the part was deleted, try again", part.done)
	default:
		return fmt.Errorf("the server answers %s", response.Status)
	}
	return f.copy(part, response.Body, file)
}

// copy takes in the body, but not more than the file should have.
func (f Fetcher) copy(part *partFile, body io.Reader, file datasets.File) error {
	if file.Bytes > 0 {
		body = io.LimitReader(body, file.Bytes-part.done+1)
	}
	meter := newMeter(f, file, part.done)
	_, err := io.Copy(part, io.TeeReader(body, meter))
	if err != nil {
		return fmt.Errorf("the connection broke after %d of %d bytes, the next attempt goes on from there: %w", part.done, file.Bytes, err)
	}
	if file.Bytes > 0 && part.done < file.Bytes {
		return fmt.Errorf("the connection broke after %d of %d bytes, the next attempt goes on from there", part.done, file.Bytes)
	}
	meter.end()
	return nil
}

func startsAt(contentRange string, at int64) bool {
	var first int64
	_, err := fmt.Sscanf(contentRange, "bytes %d-", &first)
	return err == nil && first == at
}
