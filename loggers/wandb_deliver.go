package loggers

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/actually-robust-training/art/record"
)

// bounds fill one request of the stream.
func (w *wandb) bounds() bounds { return bounds{events: 20_000, bytes: 4 << 20} }

// divide keeps the numbers of one row together. A version of an artifact is the
// last of its batch, so that a second attempt makes no second version of an older
// one; so is the end.
func (w *wandb) divide(events []record.Event, last bool) int {
	var group rowGroup
	begin := len(events)
	for i := range events {
		e := &events[i]
		belongs, fresh, ends := group.next(e)
		switch {
		case e.Kind == wandbArtifactKind, e.Kind == wandbFinishKind, e.Kind == record.RunEnd, e.Kind == record.ArtifactSaved && e.Artifact != nil && isWeights(e.Artifact):
			return i + 1
		case belongs && fresh:
			begin = i
		}
		if ends {
			begin = len(events)
		}
	}
	if last {
		return len(events)
	}
	return begin
}

// deliver sends what the events are for the service. See preparer: p.Remote names
// the run.
func (w *wandb) deliver(ctx context.Context, p *position, events []record.Event, _ bool) error {
	before, err := loadWandBState(*p)
	if err != nil {
		return fmt.Errorf("the state of the run: %w", err)
	}
	if before.Ended {
		return refusal{errors.New("the run has ended")}
	}
	b := newWandBBatch(p, before, events)
	if b.changed.config {
		if err := w.configure(ctx, b); err != nil {
			return err
		}
	}
	for _, version := range b.used {
		if err := w.use(ctx, *p, version); err != nil {
			return err
		}
	}
	if err := w.keepOutput(b); err != nil {
		return fmt.Errorf("the console of the run: %w", err)
	}
	uploaded, err := w.sendFiles(ctx, b)
	if err != nil {
		return err
	}
	if b.exit != nil || b.started {
		own, err := w.sendOwnFiles(ctx, b)
		if err != nil {
			return err
		}
		uploaded = append(uploaded, own...)
	}
	if err := w.sendLines(ctx, b, before, uploaded); err != nil {
		return err
	}
	for _, a := range b.artifacts {
		if _, err := b.arrived(a.event, w.upload(ctx, *p, a)); err != nil {
			return err
		}
	}
	b.History, b.Console = before.History+len(b.history), before.Console+len(b.console)
	if err := b.keep(p); err != nil {
		return err
	}
	if len(b.refused) > 0 {
		return b.refused
	}
	return nil
}

// arrived says whether a file of an event did, or notes that the service will not
// have it. Other troubles stop the batch.
func (b *wandbBatch) arrived(event int, err error) (bool, error) {
	var no refusal
	if errors.As(err, &no) || err != nil && strings.HasPrefix(err.Error(), "403") {
		if event != eventNone {
			b.refused[event] = err
		}
		return false, nil
	}
	return err == nil, err
}

// configure sends config and tags.
func (w *wandb) configure(ctx context.Context, b *wandbBatch) error {
	variables := map[string]any{"name": b.p.Remote["run"], "project": b.p.Remote["project"], "entity": b.p.Remote["entity"], "config": b.configJSON()}
	if len(b.Tags) > 0 {
		variables["tags"] = b.Tags
	}
	err := w.graphql(ctx, "UpsertBucket", upsertBucket, variables, nil)
	var no refusal
	if !errors.As(err, &no) {
		return err
	}
	for i, e := range b.events {
		if e.Kind == record.RunStart || e.Kind == record.StepStart || e.Kind == wandbConfigKind || e.Kind == wandbTagsKind {
			b.refused[i] = err
		}
	}
	return nil
}

// sendLines sends the stream, in as many requests as it takes. The last one has
// the summary and the end.
func (w *wandb) sendLines(ctx context.Context, b *wandbBatch, before wandbState, uploaded []string) error {
	body, size := streamBody{Files: map[string]*streamFile{}}, 0
	add := func(name string, offset int, lines []string) error {
		for i, line := range lines {
			if size+len(line) > maxStreamBody && size > 0 {
				if err := w.stream(ctx, *b.p, body); err != nil {
					return err
				}
				body, size = streamBody{Files: map[string]*streamFile{}}, 0
			}
			f := body.Files[name]
			if f == nil {
				f = &streamFile{Offset: offset + i}
				body.Files[name] = f
			}
			f.Content = append(f.Content, line)
			size += len(line)
		}
		return nil
	}
	if err := add("wandb-history.jsonl", before.History, b.history); err != nil {
		return err
	}
	if err := add("output.log", before.Console, b.console); err != nil {
		return err
	}
	if b.changed.summary {
		// Too large a summary keeps nothing else from arriving.
		if summary := b.summaryJSON(); len(summary) > maxStreamLine {
			b.refused[len(b.events)-1] = fmt.Errorf("the summary has %d bytes, and the service takes %d", len(summary), maxStreamLine)
		} else if err := add("wandb-summary.json", 0, []string{summary}); err != nil {
			return err
		}
	}
	body.Uploaded = uploaded
	body.Complete, body.ExitCode = b.exit != nil, b.exit
	if len(body.Files) == 0 && len(uploaded) == 0 && !body.Complete {
		return nil
	}
	return w.stream(ctx, *b.p, body)
}
