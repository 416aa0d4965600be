package loggers

import (
	"context"
	"log/slog"
	"math"
	"strconv"

	"github.com/actually-robust-training/art/record"
)

// Slog sends every event to a structured log, as a record whose message is the
// kind and whose attributes are the fields in use. Scalars and vectors, of which
// there are many, are at level Debug; warnings and skipped steps at Warn;
// failures at Error; the rest at Info. The handler decides what it keeps.
type Slog struct {
	// Logger is written to; nil is slog.Default().
	Logger *slog.Logger
}

// Emit logs the event at its own time.
func (s *Slog) Emit(e record.Event) error {
	logger := s.Logger
	if logger == nil {
		logger = slog.Default()
	}
	ctx := context.Background()
	level := levelOf(&e)
	if !logger.Enabled(ctx, level) {
		return nil
	}
	r := slog.NewRecord(e.Time, level, string(e.Kind), 0)
	for _, f := range []struct{ name, value string }{
		{"step", e.Step}, {"trial", e.Trial}, {"model", e.Model}, {"stage", e.Stage}, {"name", e.Name}, {"text", e.Text}, {"outcome", string(e.Outcome)},
	} {
		if f.value != "" {
			r.AddAttrs(slog.String(f.name, f.value))
		}
	}
	r.AddAttrs(slog.Int64("seq", e.Seq))
	addNumbers(&r, &e)
	addDetails(&r, &e)
	if err := logger.Handler().Handle(ctx, r); err != nil {
		return lost("slog", &e, err)
	}
	return nil
}

func levelOf(e *record.Event) slog.Level {
	switch {
	case e.Kind == record.Scalar, e.Kind == record.Vector:
		return slog.LevelDebug
	case e.Outcome == record.Failed, e.Outcome == record.Broken, e.Kind == record.Judged && e.Verdict != nil && e.Verdict.Mark == record.Fail:
		return slog.LevelError
	case e.Outcome == record.Skipped, e.Kind == record.Judged && e.Verdict != nil && e.Verdict.Mark == record.Warn:
		return slog.LevelWarn
	}
	return slog.LevelInfo
}

func addNumbers(r *slog.Record, e *record.Event) {
	switch e.Kind {
	case record.Scalar, record.Score, record.Vector:
		r.AddAttrs(slog.Int("iteration", e.Iteration), slog.Int("epoch", e.Epoch))
	}
	switch e.Kind {
	case record.Scalar, record.Score:
		r.AddAttrs(slog.Any("value", number(e.Value)))
	case record.Vector:
		values := make([]any, len(e.Values))
		for i, v := range e.Values {
			values[i] = number(v)
		}
		r.AddAttrs(slog.Any("values", values))
		if len(e.Shape) > 0 {
			r.AddAttrs(slog.Any("shape", append([]int(nil), e.Shape...)))
		}
	}
	if e.Rows != 0 {
		r.AddAttrs(slog.Int("rows", e.Rows))
	}
	if e.Duration != 0 {
		r.AddAttrs(slog.Duration("duration", e.Duration))
	}
}

// number is what a JSON handler can write: NaN and the infinities are strings.
func number(v float64) any {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return strconv.FormatFloat(v, 'g', -1, 64)
	}
	return v
}

func addDetails(r *slog.Record, e *record.Event) {
	if v := e.Verdict; v != nil {
		r.AddAttrs(slog.Group("verdict", slog.String("check", v.Check), slog.String("mark", string(v.Mark)), slog.String("summary", verdict(v))))
	}
	if a := e.Artifact; a != nil {
		r.AddAttrs(slog.Group("artifact", slog.String("path", a.Path), slog.String("kind", a.Kind), slog.Int64("bytes", a.Bytes)))
	}
	if len(e.Settings) > 0 {
		var settings []any
		for name, value := range sorted(e.Settings) {
			settings = append(settings, slog.String(name, value))
		}
		r.AddAttrs(slog.Group("settings", settings...))
	}
}
