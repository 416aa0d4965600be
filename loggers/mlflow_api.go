package loggers

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/go-resty/resty/v2"

	"github.com/actually-robust-training/art/record"
)

// mlflow is a server that speaks the REST API of MLflow, version 2.0:
// https://mlflow.org/docs/latest/rest-api.html.
//
// What is sent twice counts once: parameters and tags by their name, artifacts by
// their path, the run by the tag artRun. Metrics by key, iteration, time and
// value: servers with a database do that themselves; for the others, what is there
// already is left out of a batch that may have been sent before.
type mlflow struct {
	rest       *rest
	experiment string
}

const (
	apiPath       = "/api/2.0/mlflow/"
	artifactsPath = "/api/2.0/mlflow-artifacts/artifacts/"
	// artRun is the tag that holds the run's own id.
	artRun = "art.run"
)

// mlflowDestination is the server that a target names.
func mlflowDestination(target map[string]string) (string, destination, error) {
	address, user, err := splitAddress(target["address"])
	if err != nil {
		return "", nil, err
	}
	token := os.Getenv("MLFLOW_TRACKING_TOKEN")
	name, password := os.Getenv("MLFLOW_TRACKING_USERNAME"), os.Getenv("MLFLOW_TRACKING_PASSWORD")
	if user != nil {
		name = user.Username()
		password, _ = user.Password()
	}
	sign := func(r *resty.Request) {
		switch {
		case token != "":
			r.SetAuthToken(token)
		case name != "":
			r.SetBasicAuth(name, password)
		}
	}
	return "MLflow at " + address, &mlflow{rest: newREST(address, sign), experiment: target["experiment"]}, nil
}

// deliver sends the events in few requests.
func (m *mlflow) deliver(ctx context.Context, p *position, events []record.Event, again bool) error {
	if p.Remote["run"] == "" {
		err := m.findRun(ctx, p, millis(&events[0]))
		if no := (refusal{}); errors.As(err, &no) {
			return hopeless{errors.New(err.Error())} // nothing is wrong with the events
		}
		if err != nil {
			return err
		}
	}
	b := mlflowBatch{}
	for i := range events {
		b.add(&events[i])
	}
	if again {
		if err := m.leaveOut(ctx, p.Remote["run"], &b); err != nil {
			return err
		}
	}
	for chunk := range slices.Chunk(b.Metrics, 1000) {
		if err := m.log(ctx, p, map[string]any{"metrics": chunk}); err != nil {
			return err
		}
	}
	for chunk := range slices.Chunk(b.Params, 100) {
		if err := m.log(ctx, p, map[string]any{"params": chunk}); err != nil {
			return err
		}
	}
	for chunk := range slices.Chunk(b.Tags, 100) {
		if err := m.log(ctx, p, map[string]any{"tags": chunk}); err != nil {
			return err
		}
	}
	for _, a := range b.artifacts {
		if err := m.upload(ctx, p, a); err != nil {
			return err
		}
	}
	if b.end == nil {
		return nil
	}
	status := "FAILED"
	if b.end.Outcome == record.Passed {
		status = "FINISHED"
	}
	return m.post(ctx, "runs/update", map[string]any{"run_id": p.Remote["run"], "status": status, "end_time": millis(b.end)}, nil)
}

func (m *mlflow) log(ctx context.Context, p *position, what map[string]any) error {
	what["run_id"] = p.Remote["run"]
	return m.post(ctx, "runs/log-batch", what, nil)
}

func (m *mlflow) post(ctx context.Context, path string, body, to any) error {
	a, err := m.rest.do(ctx, requestTimeout, http.MethodPost, apiPath+path, func(r *resty.Request) {
		r.SetHeader("Content-Type", "application/json").SetBody(body)
	})
	return decodeAnswer(a, err, to)
}

func (m *mlflow) get(ctx context.Context, path string, query url.Values, to any) error {
	a, err := m.rest.do(ctx, requestTimeout, http.MethodGet, apiPath+path, func(r *resty.Request) { r.SetQueryParamsFromValues(query) })
	return decodeAnswer(a, err, to)
}

func decodeAnswer(a answer, err error, to any) error {
	if err == nil && to != nil {
		// A body that breaks off is a trouble that passes.
		if err = json.Unmarshal(a.body, to); err != nil {
			err = fmt.Errorf("its answer is not JSON: %w%s", err, excerpt(a.body))
		}
	}
	return err
}

// isCode says whether the server answered with an error code of its own.
func isCode(err error, code string) bool { return err != nil && strings.Contains(err.Error(), code) }

// findRun finds the run on the server, or makes it, and remembers it.
func (m *mlflow) findRun(ctx context.Context, p *position, started int64) error {
	experiment, err := m.findExperiment(ctx)
	if err != nil {
		return err
	}
	type run struct {
		Info struct {
			RunID string `json:"run_id"`
		} `json:"info"`
	}
	var found struct{ Runs []run }
	tag := strings.ReplaceAll(p.Run, "'", "")
	query := map[string]any{"experiment_ids": []string{experiment}, "filter": "tags.`" + artRun + "` = '" + tag + "'", "max_results": 1}
	if err := m.post(ctx, "runs/search", query, &found); err != nil {
		return err
	}
	if len(found.Runs) == 0 {
		var made struct{ Run run }
		err := m.post(ctx, "runs/create", map[string]any{
			"experiment_id": experiment, "run_name": p.Run, "start_time": started,
			"tags": []mlflowPair{{artRun, tag}, {"art.recipe", p.Recipe}},
		}, &made)
		if err != nil {
			return err
		}
		found.Runs = append(found.Runs, made.Run)
	}
	p.Remote = map[string]string{"experiment": experiment, "run": found.Runs[0].Info.RunID}
	return nil
}

func (m *mlflow) findExperiment(ctx context.Context) (id string, err error) {
	for range 2 {
		var found struct {
			Experiment struct {
				ID    string `json:"experiment_id"`
				Stage string `json:"lifecycle_stage"`
			}
		}
		err = m.get(ctx, "experiments/get-by-name", url.Values{"experiment_name": {m.experiment}}, &found)
		if err == nil && found.Experiment.Stage == "deleted" {
			return "", hopeless{fmt.Errorf("experiment %q is deleted: restore it or name another one", m.experiment)}
		}
		if !isCode(err, "RESOURCE_DOES_NOT_EXIST") {
			return found.Experiment.ID, err
		}
		var made struct {
			ID string `json:"experiment_id"`
		}
		err = m.post(ctx, "experiments/create", map[string]any{"name": m.experiment}, &made)
		// Another process may have made it meanwhile: look again.
		if !isCode(err, "RESOURCE_ALREADY_EXISTS") {
			return made.ID, err
		}
	}
	return "", err
}

// leaveOut removes the metrics that the server has from the batch.
func (m *mlflow) leaveOut(ctx context.Context, run string, b *mlflowBatch) error {
	there := map[string]map[mlflowPoint]bool{}
	for _, metric := range b.Metrics {
		if there[metric.Key] != nil {
			continue
		}
		there[metric.Key] = map[mlflowPoint]bool{}
		query := url.Values{"run_id": {run}, "metric_key": {metric.Key}, "max_results": {"25000"}}
		for {
			var page struct {
				Metrics []mlflowMetric
				Next    string `json:"next_page_token"`
			}
			if err := m.get(ctx, "metrics/get-history", query, &page); err != nil {
				return err
			}
			for _, old := range page.Metrics {
				there[metric.Key][old.point()] = true
			}
			if page.Next == "" {
				break
			}
			query.Set("page_token", page.Next)
		}
	}
	b.Metrics = slices.DeleteFunc(b.Metrics, func(m mlflowMetric) bool { return there[m.Key][m.point()] })
	return nil
}

// upload sends a file through the server, which has to serve artifacts (it
// does unless it was started with --no-serve-artifacts).
func (m *mlflow) upload(ctx context.Context, p *position, a *record.Artifact) error {
	path := filepath.FromSlash(a.Path)
	if p.Directory == "" || !filepath.IsLocal(path) {
		return refusal{fmt.Errorf("the artifact %s cannot be found: the run has no directory, or it is outside of it", a.Path)}
	}
	file, err := os.Open(filepath.Join(p.Directory, path))
	if err != nil {
		return refusal{err}
	}
	defer file.Close() //nolint:errcheck // it was only read
	escaped := make([]string, 0, 4)
	for _, part := range []string{p.Remote["experiment"], p.Remote["run"], "artifacts"} {
		escaped = append(escaped, url.PathEscape(part))
	}
	for part := range strings.SplitSeq(filepath.ToSlash(filepath.Clean(path)), "/") {
		escaped = append(escaped, url.PathEscape(part))
	}
	timeout := requestTimeout + time.Duration(a.Bytes)*time.Second/slowestUpload
	got, err := m.rest.do(ctx, timeout, http.MethodPut, artifactsPath+strings.Join(escaped, "/"), func(r *resty.Request) {
		r.SetHeader("Content-Type", "application/octet-stream").SetBody(file)
	})
	// A server without a store for artifacts still takes the numbers.
	if got.status == http.StatusNotFound || got.status == http.StatusMethodNotAllowed || isCode(err, "no-serve-artifacts") {
		return refusal{err}
	}
	return err
}

// slowestUpload is the rate, in bytes a second, below which an upload is given
// up and begun again.
const slowestUpload = 100_000

// mlflowMetric is one number as the API has it.
type mlflowMetric struct {
	Key       string       `json:"key"`
	Value     mlflowNumber `json:"value"`
	Timestamp int64        `json:"timestamp"` // milliseconds since 1970
	Step      int64        `json:"step"`
}

// mlflowPoint identifies a metric of one key.
type mlflowPoint struct {
	bits            uint64
	timestamp, step int64
}

func (m mlflowMetric) point() mlflowPoint {
	v := float64(m.Value)
	switch {
	case math.IsNaN(v):
		v = math.NaN()
	case math.IsInf(v, 0):
		v = math.Copysign(math.MaxFloat64, v) // as servers keep them
	case v == 0:
		v = 0 // and -0
	}
	return mlflowPoint{math.Float64bits(v), m.Timestamp, m.Step}
}

// mlflowNumber is a double in the JSON of protocol buffers.
type mlflowNumber float64

// MarshalJSON writes NaN and infinities as strings.
func (n mlflowNumber) MarshalJSON() ([]byte, error) {
	switch v := float64(n); {
	case math.IsNaN(v):
		return []byte(`"NaN"`), nil
	case math.IsInf(v, 1):
		return []byte(`"Infinity"`), nil
	case math.IsInf(v, -1):
		return []byte(`"-Infinity"`), nil
	default:
		return json.Marshal(v)
	}
}

// UnmarshalJSON reads both.
func (n *mlflowNumber) UnmarshalJSON(b []byte) error {
	switch strings.Trim(string(b), `"`) {
	case "NaN":
		*n = mlflowNumber(math.NaN())
	case "Infinity":
		*n = mlflowNumber(math.Inf(1))
	case "-Infinity":
		*n = mlflowNumber(math.Inf(-1))
	default:
		return json.Unmarshal(b, (*float64)(n))
	}
	return nil
}
