package loggers

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/go-resty/resty/v2"
)

// wandb is a server that speaks the protocol of Weights & Biases: GraphQL for
// runs, addresses of files and artifacts; a stream of lines for what a run logs;
// signed addresses of an object store for bytes.
//
// What is sent twice counts once. Lines go to offsets, so that sending them again
// overwrites them with the same; a batch is cut so that a second attempt has the
// same lines. Files are known by their names, artifacts by their digests.
type wandb struct {
	rest *rest
	// store has no credentials. It speaks to whatever host signed addresses name.
	store    *http.Client
	settings func() wandbSettings
	app      string
	// say is told the name and the address of the run when they are known.
	say     func(name, address string)
	stopped func()
	// quiet is until when the service has asked for no more.
	quiet time.Time
	// conflicts and denials count answers in a row that may pass, and may not.
	conflicts, denials int
	parts              partSizes
	// output is the path of the file that keeps the console of the run.
	output string
}

// patienceWithDenials is how often that is tried.
const patienceWithDenials = 5

// wandbDestination is the server that a target names.
func wandbDestination(target map[string]string) (string, *wandb, error) {
	settings := loadWandBSettings()
	address, err := settings.address(target["address"])
	if err != nil {
		return "", nil, err
	}
	key, err := settings.key(address)
	if err != nil {
		return "", nil, err
	}
	headers, err := settings.headers()
	if err != nil {
		return "", nil, err
	}
	transport := settings.transport()
	w := &wandb{
		rest: newREST(address, func(r *resty.Request) { r.SetBasicAuth("api", key).SetHeaders(headers) }),
		// Nothing that the settings hold can be printed through the field.
		settings: func() wandbSettings { return settings },
		store:    &http.Client{Transport: transport}, app: settings.app(address), say: func(string, string) {}, stopped: func() {}, parts: wandbParts,
	}
	w.rest.client.SetTransport(transport).SetDisableWarn(true)
	return "W&B at " + address, w, nil
}

// graphql runs one operation. An answer with errors is a refusal, whatever its
// status.
func (w *wandb) graphql(ctx context.Context, operation, query string, variables map[string]any, to any) error {
	body, err := json.Marshal(map[string]any{"query": query, "variables": variables, "operationName": operation})
	if err != nil {
		return refusal{err}
	}
	timeout := w.settings().seconds("http_timeout", requestTimeout)
	a, err := w.rest.do(ctx, timeout, http.MethodPost, "/graphql", func(r *resty.Request) {
		r.SetHeader("Content-Type", "application/json").SetBody(body)
	})
	if err = wandbTrouble(a, err); err != nil {
		return err
	}
	var got struct {
		Data   json.RawMessage
		Errors json.RawMessage
	}
	if err := json.Unmarshal(a.body, &got); err != nil {
		return fmt.Errorf("its answer is not JSON: %w%s", err, excerpt(a.body))
	}
	if message := wandbMessage(a.body); message != "" {
		return refusal{fmt.Errorf("%s: %s", operation, message)}
	}
	if to == nil {
		return nil
	}
	if err := json.Unmarshal(got.Data, to); err != nil {
		return fmt.Errorf("its answer to %s is not what was asked for: %w%s", operation, err, excerpt(a.body))
	}
	return nil
}

// wandbTrouble sorts statuses as the service means them, and takes the message
// out of the answer.
func wandbTrouble(a answer, err error) error {
	if err == nil {
		return nil
	}
	if message := wandbMessage(a.body); message != "" {
		said := fmt.Errorf("%d %s: %s", a.status, http.StatusText(a.status), message)
		var wait later
		switch {
		case errors.As(err, &wait):
			err = later{said, wait.after}
		case errors.As(err, new(hopeless)):
			err = hopeless{said}
		default:
			err = refusal{said}
		}
	}
	switch a.status {
	case http.StatusUnauthorized:
		return hopeless{fmt.Errorf("%w: is the key right, and of this server?", err)}
	case http.StatusNotImplemented:
		return hopeless{err}
	}
	return err
}

// wandbMessage is what the three shapes of an error say.
func wandbMessage(body []byte) string {
	var got struct {
		Error  json.RawMessage
		Errors []json.RawMessage
	}
	if json.Unmarshal(body, &got) != nil {
		return ""
	}
	if len(got.Error) > 0 {
		got.Errors = append(got.Errors, got.Error)
	}
	var all []string
	for _, e := range got.Errors {
		var text string
		var inner struct{ Message string }
		if json.Unmarshal(e, &text) != nil && json.Unmarshal(e, &inner) == nil {
			text = inner.Message
		}
		if text != "" {
			all = append(all, strings.TrimPrefix(excerpt([]byte(text)), ": "))
		}
	}
	return strings.Join(all, "; ")
}

const (
	// streamTimeout is for one request of lines.
	streamTimeout = 180 * time.Second
	// maxStreamBody is the sum of the lengths of lines after which a request is
	// sent.
	maxStreamBody = 10 << 20
	// maxStreamLine is the longest line that the service takes.
	maxStreamLine = 10<<20 - 100<<10
)

// streamFile is lines of one file at an offset.
type streamFile struct {
	Offset  int      `json:"offset"`
	Content []string `json:"content"`
}

// streamBody is one request of the stream.
type streamBody struct {
	Files    map[string]*streamFile `json:"files,omitempty"`
	Uploaded []string               `json:"uploaded,omitempty"`
	Complete bool                   `json:"complete,omitempty"`
	ExitCode *int                   `json:"exitcode,omitempty"`
}

func (w *wandb) stream(ctx context.Context, p position, body streamBody) error {
	select {
	case <-time.After(time.Until(w.quiet)):
	case <-ctx.Done():
		return ctx.Err()
	}
	encoded, err := encodeJSON(body)
	if err != nil {
		return refusal{err}
	}
	path := "/files/" + url.PathEscape(p.Remote["entity"]) + "/" + url.PathEscape(p.Remote["project"]) + "/" + url.PathEscape(p.Remote["run"]) + "/file_stream"
	a, err := w.rest.do(ctx, streamTimeout, http.MethodPost, path, func(r *resty.Request) {
		r.SetHeader("Content-Type", "application/json").SetBody(encoded)
	})
	if reset, wrong := strconv.ParseFloat(a.header.Get("RateLimit-Reset"), 64); wrong == nil && a.header.Get("RateLimit-Remaining") == "0" {
		w.quiet = time.Now().Add(time.Duration(min(max(reset, 0), 60) * float64(time.Second)))
	}
	if err := wandbTrouble(a, err); err != nil {
		return err
	}
	var reply struct{ Stopped bool }
	if json.Unmarshal(a.body, &reply) == nil && reply.Stopped {
		w.stopped()
	}
	return nil
}

// put sends a file to a signed address, with the headers that were given and no
// others.
func (w *wandb) put(ctx context.Context, address string, headers []string, path string) error {
	file, err := os.Open(path)
	if err != nil {
		return refusal{err}
	}
	defer file.Close() //nolint:errcheck // it was only read
	info, err := file.Stat()
	if err != nil {
		return refusal{err}
	}
	return w.putBytes(ctx, address, headers, file, info.Size())
}

func (w *wandb) putBytes(ctx context.Context, address string, headers []string, body io.Reader, size int64) error {
	_, err := w.putTagged(ctx, address, headers, body, size)
	return err
}

// putTagged returns the ETag, by which the store knows what it got.
func (w *wandb) putTagged(ctx context.Context, address string, headers []string, body io.Reader, size int64) (tag string, err error) {
	timeout := w.settings().seconds("file_pusher_timeout", requestTimeout+time.Duration(size)*time.Second/slowestUpload)
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	if size == 0 {
		body = http.NoBody
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPut, address, io.NopCloser(body))
	if err != nil {
		return "", errors.New("the server gave an address for a file that is none")
	}
	if size == 0 {
		r.Body = http.NoBody
	}
	r.ContentLength = size
	r.Header.Set("User-Agent", "art-go")
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ":")
		r.Header.Set(name, value)
	}
	got, err := w.store.Do(r)
	if err != nil {
		return "", fmt.Errorf("sending a file to %s: %w", r.URL.Host, transportTrouble(err))
	}
	defer got.Body.Close() //nolint:errcheck // it was only read
	return got.Header.Get("ETag"), w.storeTrouble(got, "sending a file to")
}

// storeTrouble is nil for 2xx. An address may have expired: the next attempt asks
// for another one. A store that goes on saying no has its reasons.
func (w *wandb) storeTrouble(got *http.Response, doing string) error {
	if got.StatusCode >= 200 && got.StatusCode < 300 {
		w.denials = 0
		return nil
	}
	answer, _ := io.ReadAll(io.LimitReader(got.Body, 1<<10)) // what there is will do
	err := fmt.Errorf("%s %s: %d %s%s", doing, got.Request.URL.Host, got.StatusCode, http.StatusText(got.StatusCode), excerpt(answer))
	if got.StatusCode < 500 && got.StatusCode != http.StatusTooManyRequests {
		if w.denials++; w.denials >= patienceWithDenials {
			return refusal{err}
		}
	}
	return later{err, retryAfter(got.Header.Get("Retry-After"), time.Now())}
}
