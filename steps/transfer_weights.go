package steps

import (
	"slices"

	"github.com/actually-robust-training/art/checks"
	"github.com/actually-robust-training/art/record"
	"github.com/actually-robust-training/art/train"
)

// What is measured of the weights to transfer.
const (
	untrainedName = "weights-untrained"   // 1 when they show no sign of training
	sourceName    = "source-task-learned" // 1 when validation data of the first task says so
)

// untrained reports that every parameter that starts with one value in a fresh
// network, as biases and statistics do, still has that value in the weights: no
// training leaves them there. Without such parameters it cannot tell.
func untrained(fresh train.Learner, weights []train.Named, isHead func(string) bool) bool {
	have := map[string]train.Named{}
	for _, w := range weights {
		have[w.Name] = w
	}
	compared := 0
	for _, p := range fresh.Params() {
		if isHead(p.Name) || len(p.Value) == 0 || slices.Max(p.Value) != slices.Min(p.Value) {
			continue
		}
		compared++
		if !slices.EqualFunc(p.Value, have[p.Name].Data, sameBits) {
			return false
		}
	}
	return compared > 0
}

func weightsTrained(s *record.StepRun) record.Verdict {
	p, ok := s.Score(untrainedName, "")
	if !ok {
		return unmeasured("whether the weights were trained")
	}
	v := checks.Hold(p.Value == 0, "trained weights", map[bool]string{true: "fresh weights", false: "trained weights"}[p.Value == 1])
	v.Trouble = "the weights to transfer were never trained"
	v.Evidence = []string{"all biases and statistics have the values they start with"}
	v.Likely = []string{"the weights were taken from a fresh network, or loading them failed in silence"}
	v.Try = []string{"read them from the weights.safetensors of a run that passed"}
	return v
}

func sourceLearned(s *record.StepRun) record.Verdict {
	p, ok := s.Score(sourceName, "")
	if !ok {
		return without("no validation data of the first task")
	}
	v := checks.Hold(p.Value == 1, "more than guessing", map[bool]string{true: "more than guessing", false: "no more than guessing"}[p.Value == 1])
	v.Trouble = "the network did not learn the source task: there is nothing to transfer"
	v.Likely = []string{"the labels of the source task do not belong to its inputs: shuffled?", "SourceEpochs are too few"}
	v.Try = []string{"make a recipe of the source task"}
	return v
}
