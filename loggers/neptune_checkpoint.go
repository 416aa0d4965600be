package loggers

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"strings"
)

// DownloadCheckpoint fetches weights of a run into a folder and returns the path of the
// file. The run is what the server calls it, like IR-12, or what [Neptune.Run] was;
// empty is the run of this logger. Which is "last", "best", a name that LogCheckpoint
// was given, or the path of any field that is a file. Last and best are those that
// LogCheckpoint was given, then those that steps saved as artifacts; the best of these
// has best in its name. It is an error if there is none.
func (n *Neptune) DownloadCheckpoint(ctx context.Context, run, which, dir string) (string, error) {
	file, err := n.download(ctx, run, which, dir)
	if err != nil {
		return "", fmt.Errorf("Neptune: checkpoint %s of run %s: %w", which, run, err)
	}
	return file, nil
}

func (n *Neptune) download(ctx context.Context, run, which, dir string) (string, error) {
	server, err := newNeptune(n.Hosts)
	if err != nil {
		return "", err
	}
	if err := server.connect(ctx); err != nil {
		return "", err
	}
	if run == "" {
		if run, _ = n.RunID(); run == "" {
			return "", errors.New("this logger has no run yet: say which one")
		}
	}
	id, err := server.findForeign(ctx, cmp.Or(n.Project, os.Getenv("NEPTUNE_PROJECT")), run)
	if err != nil {
		return "", err
	}
	field, info, err := server.checkpoint(ctx, id, which)
	if err != nil {
		return "", err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", err
	}
	name := fileName(path.Base(field))
	if info.Ext != "" && !strings.HasSuffix(name, "."+info.Ext) {
		name += "." + fileName(info.Ext)
	}
	to := filepath.Join(dir, name)
	return to, server.fetch(ctx, id, field, info.Size, to)
}

// isMissing says whether the server has not got what was asked for.
func isMissing(err error) bool { return err != nil && strings.HasPrefix(err.Error(), "404 ") }

// findForeign finds the UUID of a run by what the server or the user calls it.
func (n *neptune) findForeign(ctx context.Context, projectName, run string) (string, error) {
	qualified := run
	if !strings.Contains(run, "/") {
		project, err := n.project(ctx, projectName)
		if err != nil {
			return "", err
		}
		projectName = project.Workspace + "/" + project.Name
		qualified = projectName + "/" + run
		var found struct {
			Entries []struct{ ExperimentID string }
		}
		search := map[string]any{
			"query":            map[string]string{"query": "(`sys/custom_run_id`:string = " + quoteNeptune(customRunID(&position{Target: map[string]string{"run": run}})) + ")"},
			"attributeFilters": []map[string]string{{"path": "sys/id"}},
			"pagination":       map[string]int{"limit": 2, "offset": 0},
			"sorting":          map[string]any{"dir": "descending", "sortBy": map[string]string{"name": "sys/creation_time", "type": "datetime"}},
		}
		q := neptuneRequest{method: http.MethodPost, path: "leaderboard/entries/search", query: url.Values{"projectIdentifier": {project.ID}, "type": {"run"}}, json: search}
		if err := n.call(ctx, q, &found); err != nil {
			return "", err
		}
		if len(found.Entries) > 0 {
			return found.Entries[0].ExperimentID, nil
		}
	}
	var got neptuneRun
	for _, id := range []string{qualified, run} {
		err := n.call(ctx, neptuneRequest{method: http.MethodGet, path: "experiments", query: url.Values{"experimentId": {id}}}, &got)
		if err == nil {
			return got.ID, nil
		}
		if !isMissing(err) {
			return "", err
		}
	}
	return "", fmt.Errorf("project %s has no such run", projectName)
}

// quoteNeptune writes a string of the query language.
func quoteNeptune(s string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(s) + `"`
}

type neptuneFileInfo struct {
	Ext  string
	Size int64
}

// checkpoint finds the field that holds the weights.
func (n *neptune) checkpoint(ctx context.Context, run, which string) (string, neptuneFileInfo, error) {
	candidates := []string{checkpointsPath + neptunePath(which)}
	if which == "last" || which == "best" {
		var model struct{ Value string }
		query := url.Values{"experimentId": {run}, "attribute": {map[string]string{"last": lastModelPath, "best": bestModelPath}[which]}}
		err := n.call(ctx, neptuneRequest{method: http.MethodGet, path: "attributes/strings", query: query}, &model)
		switch {
		case err == nil:
			// A field of ours, or the name of a file whose field has no extension.
			if strings.Contains(model.Value, "/artifacts/") && !strings.HasPrefix(model.Value, "/") {
				candidates = append(candidates, model.Value)
			} else {
				candidates = append(candidates, checkpointsPath+strings.TrimSuffix(path.Base(model.Value), path.Ext(model.Value)))
			}
		case !isMissing(err):
			return "", neptuneFileInfo{}, err
		}
	} else {
		candidates = append(candidates, which)
	}
	for _, field := range candidates {
		var info neptuneFileInfo
		query := url.Values{"experimentId": {run}, "attribute": {field}}
		err := n.call(ctx, neptuneRequest{method: http.MethodGet, path: "attributes/files", query: query}, &info)
		if err == nil {
			return field, info, nil
		}
		if !isMissing(err) {
			return "", info, err
		}
	}
	return "", neptuneFileInfo{}, errors.New("the run has none")
}

// fetch writes a file whole or not at all.
func (n *neptune) fetch(ctx context.Context, run, field string, size int64, to string) (err error) {
	tmp, err := os.CreateTemp(filepath.Dir(to), ".tmp-*")
	if err != nil {
		return err
	}
	defer func() {
		_, _ = tmp.Close(), os.Remove(tmp.Name()) // done already when all went well
	}()
	body, err := n.open(ctx, n.rest.client.BaseURL+neptuneLeaderboard+"attributes/download?"+url.Values{"experimentId": {run}, "attribute": {field}}.Encode())
	if err != nil {
		return err
	}
	defer body.Close() //nolint:errcheck // it was only read
	got, err := io.Copy(tmp, body)
	if err != nil {
		return noAddress(err)
	}
	if got != size {
		return fmt.Errorf("%d of %d bytes came", got, size)
	}
	if err := errors.Join(tmp.Chmod(0o644), tmp.Close()); err != nil {
		return err
	}
	return os.Rename(tmp.Name(), to)
}

// maxRedirects is how often a download may be sent elsewhere.
const maxRedirects = 5

// open begins a download. It follows redirects, but shows the bearer token to trusted
// hosts only, and to no signed address.
func (n *neptune) open(ctx context.Context, address string) (io.ReadCloser, error) {
	home := n.rest.client.BaseURL
	for renewals, redirects := 0, 0; redirects <= maxRedirects; {
		request := n.rest.client.R().SetContext(ctx).SetDoNotParseResponse(true).SetHeader("Accept", "application/octet-stream")
		ours := strings.HasPrefix(address, home+"/")
		if ours {
			token, err := n.session.bearer(ctx, renewals)
			if err != nil {
				return nil, n.scrub(err)
			}
			request.SetAuthToken(token)
		}
		got, err := request.Get(address)
		if err != nil {
			return nil, noAddress(err)
		}
		body := got.RawBody()
		if got.StatusCode() == http.StatusOK {
			return body, nil
		}
		said, _ := io.ReadAll(io.LimitReader(body, 1<<10)) // for the message only
		_ = body.Close()                                   // it was only read
		switch to, err := got.RawResponse.Location(); {
		case got.StatusCode() == http.StatusUnauthorized && ours && renewals < 2:
			renewals++
		case got.StatusCode() >= 300 && got.StatusCode() < 400 && err == nil:
			if to.Scheme != "https" && strings.HasPrefix(address, "https:") {
				return nil, fmt.Errorf("it sends to %s, which is not encrypted", to.Host)
			}
			address, redirects = to.String(), redirects+1
		default:
			return nil, n.scrub(fmt.Errorf("%d %s%s", got.StatusCode(), http.StatusText(got.StatusCode()), excerpt(said)))
		}
	}
	return nil, errors.New("it redirects without end")
}

// noAddress takes the address out of an error: a signed one is as good as a key.
func noAddress(err error) error {
	var u *url.Error
	if errors.As(err, &u) {
		return u.Err
	}
	return err
}
