package loggers

import (
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"

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
	address    string
	experiment string
	found      func(name, page string) // may be nil
}

const (
	apiPath       = "/api/2.0/mlflow/"
	artifactsPath = "/api/2.0/mlflow-artifacts/artifacts/"
	// artRun is the tag that holds the run's own id.
	artRun = "art.run"
)

// mlflowDestination is the server that a target names.
func mlflowDestination(target map[string]string) (string, *mlflow, error) {
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
	trust, err := mlflowTrust()
	if err != nil {
		return "", nil, err
	}
	m := &mlflow{rest: newREST(address, sign), address: address, experiment: target["experiment"]}
	m.rest.client.SetTLSClientConfig(trust)
	return "MLflow at " + address, m, nil
}

// mlflowTrust says which certificates are believed.
func mlflowTrust() (*tls.Config, error) {
	if yes, err := strconv.ParseBool(os.Getenv("MLFLOW_TRACKING_INSECURE_TLS")); err == nil && yes {
		return &tls.Config{InsecureSkipVerify: true}, nil //nolint:gosec // the user asked for it
	}
	path := os.Getenv("MLFLOW_TRACKING_SERVER_CERT_PATH")
	if path == "" {
		return &tls.Config{}, nil
	}
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("MLFLOW_TRACKING_SERVER_CERT_PATH: %w", err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(b) {
		return nil, fmt.Errorf("MLFLOW_TRACKING_SERVER_CERT_PATH: %s has no certificates in PEM", path)
	}
	return &tls.Config{RootCAs: pool}, nil
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
	if m.found != nil {
		m.found(p.Remote["run"], m.page(p))
		m.found = nil
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

// mlflowRun is a run as the server has it.
type mlflowRun struct {
	Info struct {
		ID          string `json:"run_id"`
		Name        string `json:"run_name"`
		Experiment  string `json:"experiment_id"`
		ArtifactURI string `json:"artifact_uri"`
	}
	Data struct{ Tags []mlflowPair }
}

func (r mlflowRun) tag(name string) string {
	for _, t := range r.Data.Tags {
		if t.Key == name {
			return t.Value
		}
	}
	return ""
}

// search finds the run that has the recipe's id.
func (m *mlflow) search(ctx context.Context, experiment, run string) ([]mlflowRun, error) {
	tag := strings.ReplaceAll(run, "'", "")
	query := map[string]any{"experiment_ids": []string{experiment}, "filter": "tags.`" + artRun + "` = '" + tag + "'", "max_results": 1}
	var found struct{ Runs []mlflowRun }
	err := m.post(ctx, "runs/search", query, &found)
	return found.Runs, err
}

// findRun finds the run on the server, or makes it, and remembers it.
func (m *mlflow) findRun(ctx context.Context, p *position, started int64) error {
	experiment, err := m.findExperiment(ctx)
	if err != nil {
		return err
	}
	found, err := m.search(ctx, experiment, p.Run)
	if err != nil {
		return err
	}
	if len(found) == 0 {
		tags := []mlflowPair{{artRun, strings.ReplaceAll(p.Run, "'", "")}, {"art.recipe", p.Recipe}}
		for name, value := range sorted(p.Target) {
			if tag, own := strings.CutPrefix(name, mlflowTagPrefix); own {
				tags = append(tags, pair([]string{tag}, value))
			}
		}
		var made struct{ Run mlflowRun }
		err := m.post(ctx, "runs/create", map[string]any{
			"experiment_id": experiment, "run_name": cmp.Or(p.Target["name"], p.Run), "start_time": started, "tags": tags,
		}, &made)
		if err != nil {
			return err
		}
		found = append(found, made.Run)
	}
	info := found[0].Info
	p.Remote = map[string]string{
		"experiment": experiment, "run": info.ID, "name": cmp.Or(info.Name, p.Target["name"], p.Run), "folder": mlflowFolder(info.ArtifactURI, experiment, info.ID),
	}
	return nil
}

// page is where people look at the run.
func (m *mlflow) page(p *position) string {
	return m.address + "/#/experiments/" + url.PathEscape(p.Remote["experiment"]) + "/runs/" + url.PathEscape(p.Remote["run"])
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
