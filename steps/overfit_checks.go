package steps

import (
	"fmt"
	"math"
	"slices"

	"github.com/actually-robust-training/art/checks"
	"github.com/actually-robust-training/art/record"
	"github.com/actually-robust-training/art/train"
)

// windows cuts a curve into parts of equal length and returns their means, so
// that noise between batches counts little.
func windows(values []float64, n int) []float64 {
	n = min(n, len(values))
	means := make([]float64, n)
	for i := range n {
		means[i] = mean(values[i*len(values)/n : (i+1)*len(values)/n])
	}
	return means
}

// surely is the number of standard errors from which on predictions on training data
// prove that something was learned.
const surely = 6

// lossFalls compares the loss of the first fiftieth of the iterations, when the
// network knows nothing, with that of the last tenth. A problem with much noise lets it fall
// by little, so it need only be more than 2 percent and three standard errors; and
// where predictions on the whole training data follow the targets, the fall is not by
// chance, and what was learned within the first few iterations counts.
func lossFalls(s *record.StepRun) record.Verdict {
	curve := s.Curve(train.LossName).Values()
	if len(curve) == 0 {
		return unmeasured("the loss")
	}
	if len(curve) < 20 {
		return without(fmt.Sprintf("too few iterations to tell (%d)", len(curve)))
	}
	start, end := curve[:max(1, len(curve)/50)], curve[len(curve)-len(curve)/10:]
	first, last := mean(start), mean(end)
	noise := 3 * math.Hypot(standardError(start, end), standardError(end, end))
	if value(s, share(followsName, train.Training), "") >= surely {
		first, noise = max(first, mean(start[:min(len(start), 3)])), 0
	}
	want := first - max(0.02*first, noise)
	v := checks.Hold(last < want || last < 1e-3, "< "+checks.Number(want), fmt.Sprintf("%s → %s", checks.Number(first), checks.Number(last)))
	v.Trouble = fmt.Sprintf("the training loss is stuck: %s in the first iterations, %s in the last", checks.Number(first), checks.Number(last))
	if last > 1.1*first {
		v.Trouble = fmt.Sprintf("the training loss climbed: %s in the first iterations, %s in the last", checks.Number(first), checks.Number(last))
		v.Likely, v.Try = []string{"the learning rate is too high"}, []string{"a third or a tenth of the learning rate, or a schedule such as train.Cosine(0)"}
		return v
	}
	if before, _ := unregularised(s, share(fitName, train.Training), ""); before != nil && before.Outcome == record.Passed {
		v.Evidence = []string{fmt.Sprintf("in step %s, the loss of the same model fell", before.Name)}
		v.Likely, v.Try = []string{"the regularisation is too strong"}, []string{"less of it, or more epochs"}
		return v
	}
	rate, labels := "the learning rate is too low, or so high that nothing settles", "the targets cannot be told from the inputs: labels shuffled, or off by some rows"
	v.Likely = []string{rate, labels}
	if oneBatchPassed(s) {
		v.Evidence = []string{oneBatchEvidence}
		v.Likely = []string{labels, rate}
	}
	if b := bestBaseline(s.Run()); b.tells(s) {
		v.Evidence = append(v.Evidence, b.evidence())
		v.Likely = []string{rate}
	}
	v.Try = []string{"see what steps.OverfitOneBatch says; ten times or a tenth of the learning rate; more epochs"}
	return v
}

// standardError is that of the mean of values. Less than ten tell little of how
// they vary: others do then.
func standardError(values, others []float64) float64 {
	if len(values) < 10 {
		return deviation(others) / math.Sqrt(float64(len(values)))
	}
	return deviation(values) / math.Sqrt(float64(len(values)))
}

const oneBatchEvidence = "one batch was learned by heart, with the same learning rate"

// oneBatchPassed reports that the same model learned one batch by heart before.
func oneBatchPassed(s *record.StepRun) bool {
	for _, before := range s.Run().Steps {
		if _, ok := before.Score(learnedName, ""); ok && before.Model == s.Model && before.Outcome == record.Passed {
			return true
		}
	}
	return false
}

// lossDoesNotClimb compares the end of the smoothed curve with its lowest point.
func lossDoesNotClimb(s *record.StepRun) record.Verdict {
	w := windows(s.Curve(train.LossName).Values(), 10)
	if len(w) < 10 {
		return without("too few iterations to tell")
	}
	low, at := w[0], 0
	for i, x := range w {
		if x < low {
			low, at = x, i
		}
	}
	last := w[len(w)-1]
	// Near zero a factor says nothing: compare with the start as well.
	v := checks.Hold(last <= 2*low || last-low < 0.1*w[0], fmt.Sprintf("≤ 2 × the lowest (%s)", checks.Number(low)), checks.Number(last))
	v.Trouble = fmt.Sprintf("the training loss fell to %s after %d0 %% of the iterations and climbed to %s", checks.Number(low), at+1, checks.Number(last))
	v.Likely = []string{"the learning rate is too high"}
	v.Try = []string{"a third of the learning rate, a schedule such as train.Cosine(0), or Optimizer.ClipNorm 1"}
	return v
}

// significant is the number of standard errors from which on a score is not chance.
const significant = 3

// leastTransfer is the share of the fit on training data that validation data
// must show, lest it be by chance.
const leastTransfer = 0.15

// beatsGuessing asks whether predictions on validation data follow the targets
// more than chance explains.
func beatsGuessing(s *record.StepRun) record.Verdict {
	z, ok := s.Score(share(followsName, train.Validation), "")
	if !ok {
		return without("nothing to tell from")
	}
	fit, trained := value(s, share(fitName, train.Validation), ""), value(s, share(fitName, train.Training), "")
	v := checks.Hold(z.Value >= significant, fmt.Sprintf("≥ %d standard errors", significant), checks.Number(z.Value))
	if z.Value >= significant && fit < leastTransfer*trained {
		// Chance has few rows here: all of a cluster are right or wrong together.
		v = checks.Hold(false, fmt.Sprintf("≥ %s of the fit on training data", checks.Number(leastTransfer)), checks.Number(fit/trained))
	}
	v.Note = checks.Resolution(z.Rows)
	if right, ok := s.Score(share(rightName, train.Validation), ""); ok {
		v.Trouble = fmt.Sprintf("predictions on validation data do not follow the targets: %s are right, always guessing the commonest class gives %s; of the training rows %s are right",
			checks.Number(right.Value), checks.Number(value(s, share(guessName, train.Validation), "")), checks.Number(value(s, share(rightName, train.Training), "")))
		return v
	}
	v.Trouble = fmt.Sprintf("predictions on validation data do not follow the targets: the loss is %s, on training data %s",
		checks.Number(value(s, train.LossName, train.Validation)), checks.Number(value(s, train.LossName, train.Training)))
	return v
}

// metricsAgree compares metrics of the recipe with what the step counted itself.
func metricsAgree(s *record.StepRun) record.Verdict {
	compared := 0
	for _, stage := range []string{train.Training, train.Validation} {
		for metric, own := range map[string]string{"accuracy": share(rightName, stage), "r2": share(ownR2Name, stage)} {
			got, ok := s.Score(metric, stage)
			want, counted := s.Score(own, "")
			if !ok || !counted || !finite(want.Value) {
				continue
			}
			compared++
			if !(math.Abs(got.Value-want.Value) <= 1.5/float64(max(want.Rows, 1))+1e-3*math.Abs(want.Value)) {
				return record.Verdict{
					Mark: record.Fail, Want: checks.Number(want.Value), Got: checks.Number(got.Value), Note: stage,
					Trouble: fmt.Sprintf("the metric %q says %s on %s data; counted here, it is %s", metric, checks.Number(got.Value), stage, checks.Number(want.Value)),
					Likely:  []string{"the metric is computed wrongly: the smallest output taken for the largest, ties counted as right, or only some of the rows"},
					Try:     []string{"use the one of package metrics, or give yours another name"},
				}
			}
		}
	}
	if compared == 0 {
		return without("no metric to compare")
	}
	return passed("as counted here", "the same")
}

// scheduleLasts fails a learning rate that is next to nothing for most of the
// training.
func scheduleLasts(s *record.StepRun) record.Verdict {
	p, ok := s.Score(scheduleName, "")
	if !ok {
		return without("a constant rate")
	}
	v := checks.Hold(p.Value >= 0.4, "≥ 40 % of the iterations", percent(p.Value))
	v.Trouble = fmt.Sprintf("the learning rate is above a hundredth of its highest in only %s of the iterations: the rest of the training is idle", percent(p.Value))
	v.Likely = []string{"the schedule counts epochs where it must count iterations, and decays at once"}
	v.Try = []string{"multiply what the schedule counts by the iterations of an epoch, or use train.Cosine(0), which needs no count"}
	return v
}

// deviationOfShare is the standard deviation of a share p of n rows, by Agresti
// and Coull (1998): two rows are added on either side, so that a share of 0 or 1 in
// a small set is not taken for certain.
func deviationOfShare(p float64, n int) float64 {
	p = (p*float64(n) + 2) / float64(n+4)
	return math.Sqrt(p * (1 - p) / float64(n+4))
}

// inferenceAgrees compares the loss over the training data in inference mode
// with that of the last iterations in training mode.
func inferenceAgrees(s *record.StepRun) record.Verdict {
	curve := s.Curve(train.LossName).Values()
	w := windows(curve, 10)
	if len(w) < 10 || len(curve) < 50 {
		return without("too few iterations to tell")
	}
	running, got := w[len(w)-1], value(s, train.LossName, train.Training)
	limit := 2*running + 0.1*w[0]
	v := checks.Hold(got <= limit, "≤ "+checks.Number(limit), checks.Number(got))
	v.Trouble = fmt.Sprintf("the trained network has a loss of %s on its training data in inference mode; in training mode it was %s", checks.Number(got), checks.Number(running))
	v.Likely = []string{"batch normalisation predicts with statistics that do not fit: they lag behind, or are never updated",
		"inputs are prepared differently for training and for prediction"}
	v.Try = []string{"a larger momentum of the running statistics, a lower learning rate, or larger batches"}
	return v
}

// beatsBaselines compares validation with the best baseline that the run
// measured.
func beatsBaselines(s *record.StepRun) record.Verdict {
	b := bestBaseline(s.Run())
	if b.name == "" {
		return without("no baseline measured")
	}
	got, ok := s.Score(b.metric, b.stage)
	if !ok {
		return without("no validation data to tell")
	}
	margin := b.margin(got, value(s, share(countName, train.Validation), ""))
	limit, word, holds := b.value-margin, "≥ ", false
	if b.lower {
		limit, word = b.value+margin, "≤ "
		holds = got.Value <= limit
	} else {
		holds = got.Value >= limit
	}
	v := checks.Hold(holds, fmt.Sprintf("%s %s%s", b.metric, word, checks.Number(limit)), checks.Number(got.Value))
	v.Note = "baseline " + b.name
	v.Trouble = fmt.Sprintf("validation: %s is %s; the baseline %s has %s", b.metric, checks.Number(got.Value), b.name, checks.Number(b.value))
	v.Likely = []string{"the network is trained for too short, or learns the training data by heart", "the problem is simple and the network more than it needs"}
	if z, ok := s.Score(share(followsName, train.Training), ""); ok && z.Value < significant {
		v.Likely = []string{"the network has not learned its training data either"}
	}
	if b.lower && b.value < 1e-3*b.worst || b.metric == "r2" && b.value > 0.9999 {
		v.Evidence = []string{fmt.Sprintf("the baseline %s is all but perfect", b.name)}
		v.Likely = slices.Insert(v.Likely, 0, "an input is the target by another name: it leaks the answer")
	}
	v.Try = []string{"more epochs, or steps.Regularize's means; if the baseline is good enough, use the baseline"}
	return v
}
