package loggers

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

const upsertBucket = `mutation UpsertBucket($id:String,$name:String,$project:String,$entity:String,$groupName:String,$displayName:String,$notes:String,
 $commit:String,$config:JSONString,$host:String,$program:String,$repo:String,$jobType:String,$sweep:String,$tags:[String!]) {
 upsertBucket(input:{id:$id,name:$name,groupName:$groupName,modelName:$project,entityName:$entity,displayName:$displayName,notes:$notes,
  config:$config,commit:$commit,host:$host,jobProgram:$program,jobRepo:$repo,jobType:$jobType,sweep:$sweep,tags:$tags}) {
   bucket { id name displayName project { name entity { name } } } } }`

const runResumeStatus = `query RunResumeStatus($project:String,$entity:String,$name:String!) {
 model(name:$project,entityName:$entity) { name entity { name }
  bucket(name:$name, missingOk:true) { id displayName summaryMetrics logLineCount historyLineCount eventsLineCount
   historyTail eventsTail config tags notes wandbConfig(keys:["t"]) } } }`

// bucket is what the service calls a run.
type bucket struct {
	ID               string
	Name             string
	DisplayName      string
	HistoryLineCount int
	LogLineCount     int
	EventsLineCount  int
	HistoryTail      string
	EventsTail       string
	SummaryMetrics   string
	Config           string
	Tags             []string
	Notes            string
	WandbConfig      string
	Project          *struct {
		Name   string
		Entity struct{ Name string }
	}
}

// prepare makes the run, or finds the one to go on with. The lines that it has are
// known from then on, and kept before any are added.
func (w *wandb) prepare(ctx context.Context, p *position) error {
	err := w.prepareRun(ctx, p)
	var no refusal
	if errors.As(err, &no) {
		err = hopeless{errors.New(err.Error())} // nothing is wrong with the events
	}
	return err
}

func (w *wandb) prepareRun(ctx context.Context, p *position) error {
	t := p.Target
	state := wandbState{Config: map[string]string{}, Summary: map[string]string{}, Tags: splitTags(t["tags"])}
	old, err := w.resumable(ctx, p)
	if err != nil {
		return err
	}
	// One without lines may be this one, made by an attempt whose answer was lost.
	switch {
	case old != nil && t["resume"] == "never" && old.HistoryLineCount+old.LogLineCount > 0:
		return hopeless{fmt.Errorf("run %s exists in project %s, and Resume is never: choose another id", t["run"], t["project"])}
	case old == nil && t["resume"] == "must":
		return hopeless{fmt.Errorf("run %s does not exist in project %s, and Resume is must", t["run"], t["project"])}
	case old != nil:
		if err := state.resume(old); err != nil {
			return err
		}
	}
	made, err := w.upsert(ctx, p, &state, old)
	if err != nil {
		return err
	}
	p.Remote = map[string]string{
		"entity": made.Project.Entity.Name, "project": made.Project.Name, "run": made.Name, "id": made.ID, "name": made.DisplayName,
	}
	w.say(made.DisplayName, w.page(p))
	return state.keep(p)
}

// page is that of the run.
func (w *wandb) page(p *position) string {
	return w.app + "/" + url.PathEscape(p.Remote["entity"]) + "/" + url.PathEscape(p.Remote["project"]) + "/runs/" + url.PathEscape(p.Remote["run"])
}

func splitTags(text string) []string {
	if text == "" {
		return nil
	}
	return strings.Split(text, ",")
}

// upsert makes the run. What is empty is left out, so that nothing is cleared.
func (w *wandb) upsert(ctx context.Context, p *position, state *wandbState, old *bucket) (made bucket, err error) {
	t := p.Target
	variables := map[string]any{"name": t["run"], "config": state.configJSON()}
	for variable, setting := range map[string]string{
		"project": "project", "entity": "entity", "displayName": "name", "notes": "notes", "groupName": "group", "jobType": "job-type",
		"host": "host", "program": "program", "commit": "commit", "repo": "repo", "sweep": "sweep",
	} {
		if t[setting] != "" {
			variables[variable] = t[setting]
		}
	}
	if len(state.Tags) > 0 {
		variables["tags"] = state.Tags
	}
	if old != nil {
		variables["id"] = old.ID
	}
	var got struct {
		UpsertBucket struct{ Bucket bucket }
	}
	err = w.graphql(ctx, "UpsertBucket", upsertBucket, variables, &got)
	if err != nil && strings.HasPrefix(err.Error(), fmt.Sprint(http.StatusConflict)) {
		if w.conflicts++; w.conflicts < patienceWithDenials {
			return made, later{errors.New(err.Error()), 0}
		}
	}
	if err != nil {
		return made, err
	}
	made = got.UpsertBucket.Bucket
	if made.Project == nil || made.Project.Entity.Name == "" || made.Project.Name == "" || made.Name == "" {
		return made, errors.New("its answer to UpsertBucket does not say which run it made")
	}
	return made, nil
}

// resumable is the run if it exists and has begun.
func (w *wandb) resumable(ctx context.Context, p *position) (*bucket, error) {
	variables := map[string]any{"name": p.Target["run"], "project": p.Target["project"]}
	if p.Target["entity"] != "" {
		variables["entity"] = p.Target["entity"]
	}
	var got struct {
		Model *struct{ Bucket *bucket }
	}
	if err := w.graphql(ctx, "RunResumeStatus", runResumeStatus, variables, &got); err != nil {
		return nil, err
	}
	if got.Model == nil || got.Model.Bucket == nil {
		return nil, nil
	}
	var own map[string]any
	if json.Unmarshal([]byte(got.Model.Bucket.WandbConfig), &own) != nil || own["t"] == nil {
		return nil, nil
	}
	return got.Model.Bucket, nil
}

// resume goes on where an earlier process, of whatever language, ended.
func (s *wandbState) resume(old *bucket) error {
	s.History, s.Console, s.Events = old.HistoryLineCount, old.LogLineCount, old.EventsLineCount
	summary, err := parseExtended(old.SummaryMetrics)
	if err != nil {
		return fmt.Errorf("the summary of the run to resume: %w", err)
	}
	s.Next = 0
	row := lastLine(old.HistoryTail)
	if _, has := row["_step"]; !has {
		row = summary
	}
	var step int64
	if json.Unmarshal([]byte(row["_step"]), &step) == nil {
		s.Next = step
	}
	if old.HistoryLineCount > 0 {
		s.Next++
	}
	var own struct{ Runtime float64 }
	_ = json.Unmarshal([]byte(summary["_wandb"]), &own) // without it the other places count
	for _, from := range []string{lastLine(old.HistoryTail)["_runtime"], lastLine(old.EventsTail)["_runtime"], summary["_runtime"], fmt.Sprint(own.Runtime)} {
		var seconds float64
		if json.Unmarshal([]byte(from), &seconds) == nil {
			s.Base = max(s.Base, seconds)
		}
	}
	delete(summary, "_wandb")
	maps.Copy(s.Summary, summary)
	if err := s.resumeConfig(old.Config); err != nil {
		return err
	}
	if len(s.Tags) == 0 {
		s.Tags = slices.Clone(old.Tags)
	}
	return nil
}

// resumeConfig keeps what the old run was set to.
func (s *wandbState) resumeConfig(text string) error {
	config, err := parseExtended(text)
	if err != nil {
		return fmt.Errorf("the config of the run to resume: %w", err)
	}
	for name, wrapped := range config {
		value, err := parseExtended(wrapped)
		if err != nil {
			continue // it was not wrapped by a client
		}
		if name == "_wandb" {
			s.resumeOwn(value["value"])
			continue
		}
		if _, has := s.Config[name]; !has && value["value"] != "" {
			s.Config[name] = value["value"]
		}
	}
	return nil
}

// resumeOwn keeps the charts and labels that clients have put beside the config.
func (s *wandbState) resumeOwn(text string) {
	own, err := parseExtended(text)
	if err != nil {
		return
	}
	s.Own = map[string]string{}
	for _, name := range []string{"viz", "visualize", "mask/class_labels"} {
		if own[name] != "" {
			s.Own[name] = own[name]
		}
	}
}

// lastLine is the last of a JSON list of JSON texts.
func lastLine(tail string) map[string]string {
	var lines []string
	if json.Unmarshal([]byte(tail), &lines) != nil || len(lines) == 0 {
		return nil
	}
	row, err := parseExtended(lines[len(lines)-1])
	if err != nil {
		return nil
	}
	return row
}

// pulse is how often the service wants to hear of a run. Without that, it takes
// the run for crashed.
func (w *wandb) pulse() time.Duration { return 30 * time.Second }

func (w *wandb) beat(ctx context.Context, p position) {
	state, err := loadWandBState(p)
	if p.Remote == nil || err != nil || state.Ended {
		return
	}
	_ = w.stream(ctx, p, streamBody{}) // the next one may get through
}
