package loggers

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/actually-robust-training/art/record"
)

// prepare finds the project, and makes the run or finds it by the id that it has
// here.
func (n *neptune) prepare(ctx context.Context, p *position) error {
	return fatal(n.findRun(ctx, p))
}

func (n *neptune) findRun(ctx context.Context, p *position) error {
	if err := n.connect(ctx); err != nil {
		return err
	}
	name := p.Target["project"]
	if name == "" {
		name = os.Getenv("NEPTUNE_PROJECT")
	}
	project, err := n.project(ctx, name)
	if err != nil {
		return err
	}
	run, err := n.createRun(ctx, project.ID, customRunID(p))
	if err != nil {
		return err
	}
	p.Remote = map[string]string{
		"run": run.ID, "id": run.ShortID,
		"page": n.config.ApplicationURL + "/" + url.PathEscape(run.Workspace) + "/" + url.PathEscape(run.Project) + "/e/" + url.PathEscape(run.ShortID),
	}
	last, err := n.lastSteps(ctx, run.ID)
	if err != nil {
		return err
	}
	for path, step := range last {
		p.Remote[lastStepKey+path] = strconv.FormatFloat(step, 'g', -1, 64)
	}
	_ = n.ping(ctx, run.ID) // it must not disturb the training
	return nil
}

// page is that of the run.
func (n *neptune) page(p *position) string { return p.Remote["page"] }

// neptuneProject is what is needed of a project.
type neptuneProject struct {
	ID        string `json:"id"`
	Name      string `json:"name"`
	Workspace string `json:"organizationName"`
	Version   int    `json:"version"`
}

// project looks up workspace/name, or a name that one project has.
func (n *neptune) project(ctx context.Context, name string) (project neptuneProject, err error) {
	if !strings.Contains(name, "/") {
		var found struct{ Entries []neptuneProject }
		query := url.Values{"limit": {"5"}, "searchTerm": {name}, "sortBy": {"lastViewed"}, "sortDirection": {"descending"}, "userRelation": {"memberOrHigher"}}
		if err := n.call(ctx, neptuneRequest{method: http.MethodGet, path: neptuneBackend + "projects", query: query}, &found); err != nil {
			return project, err
		}
		same := slices.DeleteFunc(found.Entries, func(p neptuneProject) bool { return p.Name != name })
		if len(same) != 1 {
			return project, hopeless{fmt.Errorf("%d projects are named %q: say workspace/%s", len(same), name, name)}
		}
		name = same[0].Workspace + "/" + name
	}
	query := url.Values{"projectIdentifier": {name}}
	err = n.call(ctx, neptuneRequest{method: http.MethodGet, path: neptuneBackend + "projects/get", query: query}, &project)
	if err == nil && project.Version < 2 {
		err = hopeless{fmt.Errorf("project %q is of version %d, and runs need version 2", name, project.Version)}
	}
	if err != nil {
		return project, fmt.Errorf("project %q: %w", name, err)
	}
	return project, nil
}

type neptuneRun struct {
	ID        string `json:"id"`
	ShortID   string `json:"shortId"`
	Workspace string `json:"organizationName"`
	Project   string `json:"projectName"`
}

// createRun makes a run, or returns the one that has the id. A conflict is that of
// two processes at once: the second time it is found.
func (n *neptune) createRun(ctx context.Context, project, customID string) (run neptuneRun, err error) {
	q := neptuneRequest{method: http.MethodPost, path: "experiments", json: map[string]string{
		"projectIdentifier": project, "parentId": project, "type": "run", "customId": customID,
	}}
	if err = n.call(ctx, q, &run); err != nil && strings.HasPrefix(err.Error(), "409 ") {
		err = n.call(ctx, q, &run)
	}
	if err == nil && run.ID == "" {
		err = errors.New("it made a run without an id")
	}
	return run, err
}

// maxCustomRunID is the length of an id that a client gives a run, in characters.
const maxCustomRunID = 36

// customRunID is the id that the run has here: as the user says, or made of recipe
// and run.
func customRunID(p *position) string {
	if id := p.Target["run"]; id != "" {
		if utf8.RuneCountInString(id) <= maxCustomRunID {
			return id
		}
		return cut(id, maxCustomRunID-17) + "-" + digest(id)
	}
	return cut(p.Run, maxCustomRunID-17) + "-" + digest(p.Recipe+"\x00"+p.Run)
}

// digest is 16 hexadecimal digits that stand for a text.
func digest(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:8])
}

// lastSteps returns where the series of a run end.
func (n *neptune) lastSteps(ctx context.Context, run string) (map[string]float64, error) {
	type series struct{ LastStep *float64 }
	var all struct {
		Attributes []struct {
			Name                                                                 string
			FloatSeriesProperties, StringSeriesProperties, ImageSeriesProperties *series
		}
	}
	query := url.Values{"experimentId": {run}}
	if err := n.call(ctx, neptuneRequest{method: http.MethodGet, path: "attributes", query: query}, &all); err != nil {
		return nil, err
	}
	last := map[string]float64{}
	for _, a := range all.Attributes {
		for _, s := range []*series{a.FloatSeriesProperties, a.StringSeriesProperties, a.ImageSeriesProperties} {
			if s != nil && s.LastStep != nil {
				last[a.Name] = *s.LastStep
			}
		}
	}
	return last, nil
}

// deliver uploads the files, then sends all else in few requests.
func (n *neptune) deliver(ctx context.Context, p *position, events []record.Event, again bool) error {
	if err := n.connect(ctx); err != nil {
		return err
	}
	if n.found != nil {
		n.found(p.Remote["id"], p.Remote["page"])
		n.found = nil
	}
	var there map[string]float64
	if again {
		var err error
		if there, err = n.lastSteps(ctx, p.Remote["run"]); err != nil {
			return fatal(err)
		}
	}
	b := newNeptuneBatch(p, again, there)
	for i := range events {
		b.add(i, &events[i])
	}
	for _, u := range b.uploads {
		if err := n.upload(ctx, p.Remote["run"], u); err != nil {
			var no refusal
			if !errors.As(err, &no) {
				return err
			}
			b.refuse(u.event, fmt.Errorf("the file %s: %w", u.path, err))
		}
	}
	for chunk := range b.chunks() {
		if err := n.execute(ctx, b, chunk); err != nil {
			return err
		}
	}
	p.Remote = b.remote
	if len(b.refused) > 0 {
		return b.refused
	}
	return nil
}

// The most that one request has.
const (
	neptuneOperations = 1000
	neptuneBytes      = 4 << 20
)

// chunks cuts the operations into requests.
func (b *neptuneBatch) chunks() func(func([]*neptuneOperation) bool) {
	return func(yield func([]*neptuneOperation) bool) {
		var chunk []*neptuneOperation
		size := 0
		for _, o := range b.operations {
			s := o.size()
			if len(chunk) > 0 && (len(chunk) >= neptuneOperations || size+s > neptuneBytes) {
				if !yield(chunk) {
					return
				}
				chunk, size = nil, 0
			}
			chunk, size = append(chunk, o), size+s
		}
		if len(chunk) > 0 {
			yield(chunk)
		}
	}
}

// size is about the number of bytes on the wire.
func (o *neptuneOperation) size() int {
	n := 60 + len(o.path)
	for _, e := range o.entries {
		n += 70
		switch v := e.Value.(type) {
		case string:
			n += len(v)
		case map[string]string:
			n += len(v["data"])
		}
	}
	if s, ok := o.body["value"].(string); ok {
		n += len(s)
	}
	return n
}

// execute sends operations. A request that is refused as a whole is halved until
// it is known for which operation.
func (n *neptune) execute(ctx context.Context, b *neptuneBatch, operations []*neptuneOperation) error {
	body := make([]map[string]any, len(operations))
	for i, o := range operations {
		body[i] = o.wire()
	}
	var failed []struct{ ErrorDescription, ErrorType string }
	q := neptuneRequest{method: http.MethodPost, path: "attributes/operations", query: url.Values{"experimentId": {b.p.Remote["run"]}}, json: body}
	err := n.call(ctx, q, &failed)
	var no refusal
	if errors.As(err, &no) {
		if len(operations) == 1 {
			b.refuse(operations[0].event, err)
			return nil
		}
		half := len(operations) / 2
		if err := n.execute(ctx, b, operations[:half]); err != nil {
			return err
		}
		return n.execute(ctx, b, operations[half:])
	}
	if err != nil {
		return err
	}
	for _, f := range failed {
		b.failed(operations, f.ErrorDescription)
	}
	return nil
}

// failed finds the event of an error, which names the field in its text only: the last
// that has to do with it. A point that is there already came with the first attempt.
func (b *neptuneBatch) failed(operations []*neptuneOperation, text string) {
	if _, rest, ok := strings.Cut(text, "series attribute: "); ok {
		field, at, _ := strings.Cut(rest, ". Invalid point: ")
		if b.again && b.known[field+"\x00logFloats"] != nil || b.again && b.known[field+"\x00logStrings"] != nil || b.again && b.known[field+"\x00logImages"] != nil {
			return
		}
		if step, err := strconv.ParseFloat(at, 64); err == nil {
			if event, ours := b.points[pointKey(field, step)]; ours {
				b.refuse(event, errors.New(text))
				return
			}
		}
	}
	longest, event := 0, operations[0].event
	for _, o := range operations {
		if len(o.path) >= longest && strings.Contains(text, o.path) {
			longest, event = len(o.path), o.event
		}
	}
	b.refuse(event, errors.New(text))
}

// uploadErrors reads the answer to an upload, in its new and its old form.
func uploadErrors(body json.RawMessage) error {
	var a struct {
		Errors           []struct{ ErrorDescription string }
		ErrorDescription string
	}
	if err := json.Unmarshal(body, &a); err != nil {
		return fmt.Errorf("its answer to an upload is not one: %w", err)
	}
	text := a.ErrorDescription
	for _, e := range a.Errors {
		text = join(text, e.ErrorDescription)
	}
	if text != "" {
		return refusal{errors.New(text)}
	}
	return nil
}
