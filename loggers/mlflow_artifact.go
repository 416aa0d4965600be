package loggers

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"strings"
	"time"

	"github.com/go-resty/resty/v2"

	"github.com/actually-robust-training/art/record"
)

// The tags that name the weights which a run saved last, and those with best in
// their name: the path of the artifact, and under checkpointSum the SHA-256 of it.
const (
	checkpointTag = "art.checkpoint."
	checkpointSum = ".sha256"
)

// mlflowFolder is where the server keeps the artifacts of a run, as a path below
// artifactsPath, from what it calls the place; empty if they are elsewhere. Old
// servers do not say.
func mlflowFolder(uri, experiment, run string) string {
	if uri == "" {
		return path.Join(experiment, run, "artifacts")
	}
	u, err := url.Parse(uri)
	if err != nil || u.Scheme != "mlflow-artifacts" {
		return ""
	}
	return strings.Trim(u.Path, "/")
}

// artifactAddress is the path of an artifact on the server.
func artifactAddress(folder, name string) string {
	var escaped []string
	for part := range strings.SplitSeq(path.Join(folder, name), "/") {
		escaped = append(escaped, url.PathEscape(part))
	}
	return artifactsPath + strings.Join(escaped, "/")
}

// upload sends a file through the server, which has to serve artifacts (it
// does unless it was started with --no-serve-artifacts).
func (m *mlflow) upload(ctx context.Context, p *position, a *record.Artifact) error {
	local, err := p.localPath(a)
	if err != nil {
		return refusal{err}
	}
	if p.Remote["folder"] == "" {
		return refusal{errors.New("the server does not keep the artifacts of this experiment itself: clients would need the key of the place where they are")}
	}
	file, err := os.Open(local)
	if err != nil {
		return refusal{err}
	}
	defer file.Close() //nolint:errcheck // it was only read
	timeout := requestTimeout + time.Duration(a.Bytes)*time.Second/slowestUpload
	name := filepath.ToSlash(filepath.Clean(filepath.FromSlash(a.Path)))
	got, err := m.rest.do(ctx, timeout, http.MethodPut, artifactAddress(p.Remote["folder"], name), func(r *resty.Request) {
		r.SetHeader("Content-Type", "application/octet-stream").SetBody(file)
	})
	// A server without a store for artifacts still takes the numbers.
	if got.status == http.StatusNotFound || got.status == http.StatusMethodNotAllowed || isCode(err, "no-serve-artifacts") {
		return refusal{err}
	}
	if err != nil || a.Kind != "weights" {
		return err
	}
	return m.log(ctx, p, map[string]any{"tags": checkpointTags(a, name)})
}

// checkpointTags make a file of weights the last checkpoint, and the best one if
// its name says so.
func checkpointTags(a *record.Artifact, name string) []mlflowPair {
	kinds := []string{"last"}
	if strings.Contains(strings.ToLower(cmp.Or(a.Name, path.Base(a.Path))), "best") {
		kinds = append(kinds, "best")
	}
	var tags []mlflowPair
	for _, kind := range kinds {
		tags = append(tags, mlflowPair{checkpointTag + kind, name}, mlflowPair{checkpointTag + kind + checkpointSum, a.SHA256})
	}
	return tags
}

// slowestUpload is the rate, in bytes a second, below which an upload is given
// up and begun again.
const slowestUpload = 100_000

// DownloadCheckpoint fetches weights of a run into a folder and returns the path of the
// file. The run is the server's id of it, or the recipe's own, for which Experiment or
// MLFLOW_EXPERIMENT_NAME has to be set; empty is the run of this logger. Which is "last",
// the weights that a step saved last; "best", those of them with best in their name; or
// the path of any artifact, like overfit/weights.safetensors. Last and best are compared
// with what was saved; nothing has the name of the file until it is whole.
func (m *MLflow) DownloadCheckpoint(ctx context.Context, run, which, dir string) (string, error) {
	file, err := m.download(ctx, run, which, dir)
	if err != nil {
		return "", fmt.Errorf("MLflow: checkpoint %s of run %s: %w", which, run, err)
	}
	return file, nil
}

func (m *MLflow) download(ctx context.Context, run, which, dir string) (string, error) {
	if run == "" {
		if run, _ = m.RunID(); run == "" {
			return "", errNoRun
		}
	}
	_, server, err := mlflowDestination(map[string]string{
		"address": cmp.Or(m.Address, os.Getenv("MLFLOW_TRACKING_URI"), defaultMLflow), "experiment": cmp.Or(m.Experiment, os.Getenv("MLFLOW_EXPERIMENT_NAME")),
	})
	if err != nil {
		return "", err
	}
	var file string
	err = attempts(ctx, m.patience, func() error {
		found, err := server.foreign(ctx, run)
		if err == nil {
			file, err = server.fetchCheckpoint(ctx, found, which, dir)
		}
		return err
	})
	return file, err
}

// foreign finds a run by what the server or the recipe calls it.
func (m *mlflow) foreign(ctx context.Context, run string) (mlflowRun, error) {
	var got struct{ Run mlflowRun }
	err := m.get(ctx, "runs/get", url.Values{"run_id": {run}}, &got)
	if err == nil || !isCode(err, "RESOURCE_DOES_NOT_EXIST") && !isCode(err, "INVALID_PARAMETER_VALUE") {
		return got.Run, err
	}
	if m.experiment == "" {
		return mlflowRun{}, refusal{errors.New("the server has no run of this id; to look for it by the recipe's, set Experiment")}
	}
	var experiment struct {
		Experiment struct {
			ID string `json:"experiment_id"`
		}
	}
	if err := m.get(ctx, "experiments/get-by-name", url.Values{"experiment_name": {m.experiment}}, &experiment); err != nil {
		return mlflowRun{}, err
	}
	found, err := m.search(ctx, experiment.Experiment.ID, run)
	if err == nil && len(found) == 0 {
		err = refusal{fmt.Errorf("experiment %s has no such run", m.experiment)}
	}
	if err != nil {
		return mlflowRun{}, err
	}
	return found[0], nil
}

// fetchCheckpoint writes an artifact of a run to a folder.
func (m *mlflow) fetchCheckpoint(ctx context.Context, run mlflowRun, which, dir string) (string, error) {
	name, sum := which, ""
	if which == "last" || which == "best" {
		if name, sum = run.tag(checkpointTag+which), run.tag(checkpointTag+which+checkpointSum); name == "" {
			return "", refusal{errors.New("the run has none")}
		}
	}
	folder := mlflowFolder(run.Info.ArtifactURI, run.Info.Experiment, run.Info.ID)
	switch {
	case !filepath.IsLocal(filepath.FromSlash(name)):
		return "", refusal{fmt.Errorf("%s leads out of the run", name)}
	case folder == "":
		return "", refusal{fmt.Errorf("the server does not keep the artifacts of the run itself, but at %s: get them there", run.Info.ArtifactURI)}
	}
	to := filepath.Join(dir, fileName(path.Base(name)))
	return to, m.rest.fetch(ctx, artifactAddress(folder, name), to, sum)
}
