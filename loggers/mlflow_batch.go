package loggers

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/actually-robust-training/art/record"
)

// mlflowBatch is what events are for MLflow.
type mlflowBatch struct {
	Metrics   []mlflowMetric
	Params    []mlflowPair
	Tags      []mlflowPair
	artifacts []*record.Artifact
	end       *record.Event
}

type mlflowPair struct {
	Key   string `json:"key"`
	Value string `json:"value"`
}

// The lengths in bytes that all versions of the server take.
const (
	maxMLflowKey   = 250
	maxMLflowValue = 5000
)

func (b *mlflowBatch) add(e *record.Event) {
	switch e.Kind {
	case record.RunStart, record.StepStart:
		for name, value := range sorted(e.Settings) {
			b.Params = append(b.Params, pair([]string{e.Step, name}, value))
		}
	case record.Scalar, record.Score:
		b.Metrics = append(b.Metrics, mlflowMetric{
			Key:   mlflowKey("/", e.Step, e.Trial, e.Stage, e.Name),
			Value: mlflowNumber(e.Value), Timestamp: millis(e), Step: int64(e.Iteration),
		})
	case record.Judged:
		if e.Verdict != nil {
			b.Tags = append(b.Tags, pair([]string{e.Step, "check", e.Verdict.Check}, verdict(e.Verdict)))
		}
	case record.StepEnd:
		b.Tags = append(b.Tags, pair([]string{e.Step, "outcome"}, join(string(e.Outcome), e.Text)))
	case record.ArtifactSaved:
		if e.Artifact != nil {
			b.artifacts = append(b.artifacts, e.Artifact)
		}
	case record.RunEnd:
		b.Tags = append(b.Tags, pair([]string{"outcome"}, string(e.Outcome)))
		b.end = e
	}
}

func pair(key []string, value string) mlflowPair {
	if value = strings.ToValidUTF8(value, "\ufffd"); len(value) > maxMLflowValue {
		value = strings.ToValidUTF8(value[:maxMLflowValue-3], "") + "…"
	}
	return mlflowPair{mlflowKey(".", key...), value}
}

// mlflowKey joins the parts that are not empty to a name that MLflow takes: of
// letters, digits and some signs, not too long, and no path that leads
// elsewhere.
func mlflowKey(separator string, parts ...string) string {
	var kept []string
	for _, part := range parts {
		clean := strings.Map(func(r rune) rune {
			if r == utf8.RuneError || r != '_' && !unicode.IsLetter(r) && !unicode.IsDigit(r) && !strings.ContainsRune("-. :", r) {
				return '_'
			}
			return r
		}, part)
		if strings.Trim(clean, ".") == "" {
			clean = strings.Repeat("_", len(clean))
		}
		if clean != "" {
			kept = append(kept, clean)
		}
	}
	key := strings.Join(kept, separator)
	switch {
	case key == "":
		return "_"
	case len(key) > maxMLflowKey:
		sum := sha256.Sum256([]byte(key))
		return strings.ToValidUTF8(key[:maxMLflowKey-20], "") + "-" + hex.EncodeToString(sum[:8])
	}
	return key
}

// millis is the time in milliseconds since 1970; the server takes none before.
func millis(e *record.Event) int64 {
	if e.Time.IsZero() {
		return 0
	}
	return max(e.Time.UnixMilli(), 0)
}
