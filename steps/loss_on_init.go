package steps

import (
	"context"
	"fmt"
	"math"
	"slices"

	"github.com/actually-robust-training/art/arttest"
	"github.com/actually-robust-training/art/checks"
	"github.com/actually-robust-training/art/record"
	"github.com/actually-robust-training/art/train"
)

// CheckLossOnInit looks at a fresh network, before any training. Its loss can be
// known beforehand: cross-entropy over K classes starts at ln K, or at the
// entropy of the classes if the last bias holds their log-frequencies; binary
// cross-entropy at ln 2; a regression at the loss of predicting zero.
//
// Its gradients can be checked too, against the slope of the loss.
//
// Default checks: loss-is-finite, loss-as-expected, outputs-not-saturated,
// outputs-fit-classes, outputs-are-raw, outputs-depend-on-inputs,
// units-are-alive, activations-in-range, batches-differ, targets-are-scaled,
// metrics-agree, modes-agree, loss-is-a-mean, rows-are-independent,
// prediction-is-repeatable, gradients-repeat, gradients-fit-the-loss,
// update-goes-downhill, learning-rate-counts, units-differ, head-bias-fits (warning).
type CheckLossOnInit struct {
	Model train.Model
	// Want is the expected loss; 0 derives it from loss and targets.
	Want float64
	// Tolerance is the share by which the loss may be off, beside what the
	// outputs' own spread between rows explains (its deviation, 0.5 at most).
	// Default 0.15: the outputs of a fresh network are not exactly zero. A regression
	// may lie anywhere between half the variance of its targets and 2.5 times the loss
	// of predicting zero.
	Tolerance float64
	Options   arttest.Options
}

// Plan is the step's plan.
func (c CheckLossOnInit) Plan() arttest.Plan {
	return arttest.Plan{
		Name: "check-loss-on-init", Model: c.Model.Name, Options: c.Options, Stages: []string{train.Training},
		Settings: settings(c.Model, "tolerance", fmt.Sprint(c.tolerance())),
		Checks: []checks.Check{
			check("loss-is-finite", "loss is a number", finiteLoss),
			check("loss-as-expected", "loss starts where it must", c.expectedLoss),
			check("outputs-not-saturated", "a fresh network is not sure", notSaturated),
			check("outputs-fit-classes", "one output for each class", outputsFitClasses),
			check("outputs-are-raw", "outputs are what the loss expects", outputsRaw),
			check("outputs-depend-on-inputs", "outputs depend on inputs", dependsOnInputs),
			check("units-are-alive", "units between the layers are alive", unitsAlive),
			check("activations-in-range", "tensors between the layers have a fit size", activationsInRange),
			check("batches-differ", "batches of an epoch differ", batchesDiffer),
			check("targets-are-scaled", "targets have a fit size", targetsScaled),
			check("metrics-agree", "metrics are what they are called", metricsAgree),
			check("modes-agree", "training and inference agree on the loss", modesAgree),
			check("loss-is-a-mean", "loss is a mean over rows", lossIsMean),
			check("rows-are-independent", "a row's prediction does not depend on its batch", rowsIndependent),
			check("prediction-is-repeatable", "predicting changes nothing", repeatable),
			check("gradients-repeat", "equal calls give equal gradients", gradientsRepeat),
			check("gradients-fit-the-loss", "gradients are the slope of the loss", gradientsFit),
			check("update-goes-downhill", "an update goes downhill", updateDownhill),
			check("learning-rate-counts", "updates are scaled by the learning rate", rateCounts),
			check("units-differ", "units of a layer differ", unitsDiffer),
			checks.Warn(check("head-bias-fits", "last bias fits the targets", headBias)),
		},
	}
}

func (c CheckLossOnInit) tolerance() float64 {
	if c.Tolerance == 0 {
		return 0.15
	}
	return c.Tolerance
}

// Names of what the step measures beside loss and metrics.
const (
	expectedName  = "expected-loss"      // of an undecided network
	priorName     = "prior-loss"         // of one that knows how frequent the classes are
	spreadName    = "output-spread"      // deviation of the outputs between rows
	confidentName = "confident-share"    // rows whose likeliest class has more than 0.99
	dependsName   = "outputs-differ"     // 1 if outputs differ between rows
	learnsName    = "hidden-gradient"    // largest gradient of any parameter but the last bias
	sumName       = "loss-of-twice"      // loss of a batch taken twice, over the loss of the batch
	gradSumName   = "gradient-of-twice"  // the same of the gradient's norm
	batchName     = "batch-dependence"   // largest change of an output when its batch is cut
	repeatName    = "prediction-changes" // 1 if predicting twice differs or changes a parameter
)

// Run scores the fresh network and probes what it does with batches.
func (c CheckLossOnInit) Run(ctx context.Context, s *arttest.Scope) error {
	t, err := newTrial(s, "", c.Model, s.Data())
	if err != nil {
		return err
	}
	seen := &census{loss: c.Model.Loss}
	loss, err := t.score(ctx, train.Training, t.data.Training, 0, 0, seen.metric())
	if err != nil {
		return err
	}
	want, prior := c.expected(seen, len(t.data.Classes))
	t.measure("", expectedName, want, seen.rows)
	t.measure("", priorName, prior, seen.rows)
	if seen.positions > 0 {
		t.measure("", confidentName, float64(seen.confident)/float64(seen.positions), seen.positions)
	}
	t.measure("", dependsName, number(seen.outputRows.differs || seen.rows == 1), seen.rows)
	t.measure("", spreadName, seen.spread(), seen.rows)
	t.probeOutputs(seen)
	t.probeTargets(seen)
	t.explainLoss(seen, loss, want)
	batch, err := train.First(t.data.Training, t.pass())
	if err != nil {
		return err
	}
	for _, probe := range []func(train.Batch) error{t.probePrediction, t.probeUnits, t.probeBounds, t.probeModes, t.probeScale, t.probeGradient} {
		if err := probe(batch); err != nil {
			return err
		}
	}
	return nil
}

// expected is the loss of an undecided network, and of one that knows the
// frequency of the classes or the mean of the targets and nothing else.
func (c CheckLossOnInit) expected(seen *census, classes int) (want, prior float64) {
	entropy, _ := seen.prior()
	switch loss := c.Model.Loss; {
	case c.Want != 0:
		return c.Want, c.Want
	case loss.Kind == train.CrossEntropy:
		return math.Log(float64(max(classes, 1))), entropy
	case loss.Kind == train.BinaryCrossEntropy:
		return math.Ln2, entropy
	case loss.Kind == train.MSE:
		return seen.zeroLoss / seen.targets.n, seen.targets.variance()
	default:
		zero := seen.zeroLoss / seen.targets.n
		return zero, zero
	}
}

// explainLoss records what is known about a loss that is off.
func (t *trial) explainLoss(seen *census, loss, want float64) {
	v := record.Verdict{Evidence: []string{
		fmt.Sprintf("outputs have mean %s, standard deviation %s", checks.Number(seen.outputs.mean), checks.Number(seen.outputs.deviation())),
		fmt.Sprintf("inputs range from %s to %s, standard deviation %s", checks.Number(seen.inputs.min), checks.Number(seen.inputs.max), checks.Number(seen.inputs.deviation())),
	}}
	ratio := loss / want
	switch {
	case t.data.Tokens == 0 && seen.inputs.deviation() > 10:
		v.Likely = append(v.Likely, "the inputs are not scaled")
		v.Try = append(v.Try, "standardise them, or divide pixels by 255, the same way on every stage")
	case seen.confident > 0 && seen.outputs.mean > 1 || math.Abs(seen.outputs.mean) > 3*seen.spread():
		v.Likely = append(v.Likely, "the last bias is far off: the outputs start away from zero, the same for all rows")
		v.Try = append(v.Try, "start the last bias at zero, or at the log-frequencies of the classes or the mean of the targets")
	case ratio > 1.5 && math.Abs(ratio/float64(t.data.BatchSize)-1) < 0.3:
		v.Likely = append(v.Likely, fmt.Sprintf("the loss is summed over the %d rows of a batch, not averaged", t.data.BatchSize))
		v.Try = append(v.Try, "divide the loss by the number of rows")
	case seen.outputs.deviation() > 1 && ratio > 1:
		v.Likely = append(v.Likely, "the weights of the last layer start too large")
		v.Try = append(v.Try, "initialise them with a smaller deviation, such as 1/√fan-in or 0.01")
	case ratio < 1:
		v.Likely = append(v.Likely, "the targets leak into the inputs or the bias, or the loss is scaled down")
		v.Try = append(v.Try, "compare inputs and targets of one batch; look for a factor before the loss")
	default:
		v.Likely = append(v.Likely, "the loss is not the one the model names, or the number of classes differs")
	}
	t.find("loss-as-expected", v)
	t.find("outputs-not-saturated", v)
}

// probePrediction finds out whether prediction is a function of the row alone.
func (t *trial) probePrediction(b train.Batch) error {
	before := copyParams(t.learner)
	whole, err := t.learner.Predict(b)
	if err != nil {
		return fmt.Errorf("predict: %w", err)
	}
	first := whole.Outputs.Clone()
	again, err := t.learner.Predict(b)
	if err != nil {
		return fmt.Errorf("predict: %w", err)
	}
	same := slices.EqualFunc(first.Data, again.Outputs.Data, sameBits)
	t.reportRepeat(moved(before, t.learner), same, b.Len())
	return t.probeParts(b, first, same)
}

// reportRepeat records whether predicting twice gave the same, and changed nothing.
func (t *trial) reportRepeat(changed []string, same bool, rows int) {
	t.measure("", repeatName, number(!same || len(changed) > 0), rows)
	if len(changed) > 0 {
		t.find("prediction-is-repeatable", record.Verdict{
			Evidence: []string{"predicting changed " + list(changed)},
			Likely:   []string{"the network predicts in training mode: running statistics are updated"},
			Try:      []string{"predict in inference mode"},
		})
	} else {
		t.find("prediction-is-repeatable", record.Verdict{
			Likely: []string{"dropout or another random layer is active while predicting"},
			Try:    []string{"predict in inference mode"},
		})
	}
}

// probeParts predicts a batch in parts: outputs must be those of the whole.
// repeats says whether the whole had the same outputs twice.
func (t *trial) probeParts(b train.Batch, first train.Tensor, repeats bool) error {
	scale, worst, blocks := 0., 0., true
	for _, v := range first.Data {
		scale = max(scale, math.Abs(float64(v)))
	}
	for lo, n := 0, max(b.Len()/3, 1); lo < b.Len(); lo += n {
		part := b.Slice(lo, min(lo+n, b.Len())).Clone()
		p, err := t.learner.Predict(part)
		if err != nil {
			return fmt.Errorf("predict %d of %d rows: %w", part.Len(), b.Len(), err)
		}
		size := first.RowSize()
		var rows sameness
		rows.add(p.Outputs)
		blocks = blocks && !rows.differs
		for i, v := range p.Outputs.Data {
			worst = max(worst, math.Abs(float64(v-first.Data[lo*size+i])))
		}
	}
	if scale > 0 {
		worst /= scale
	}
	t.measure("", batchName, worst, b.Len())
	v := record.Verdict{
		Evidence: []string{fmt.Sprintf("predicted in parts, outputs of the same rows move by %s of their size", checks.Number(worst))},
		Likely: []string{"batch normalisation uses the statistics of the batch while predicting: it never goes into inference mode",
			"a reshape or transpose mixes rows", "predictions come in another order than the rows of the batch"},
		Try: []string{"use running statistics when predicting; look at every reshape that touches the first axis"},
	}
	if !repeats {
		v.Evidence = append(v.Evidence, "predicted twice, they move too")
		v.Likely = []string{"dropout or another random layer is active while predicting"}
		v.Try = []string{"predict in inference mode"}
	} else if blocks && b.Len() > 3 {
		v.Evidence = append(v.Evidence, "all rows that are predicted together get the same output")
		v.Likely = []string{"the network predicts the same output for all rows of a batch: it looks at one of them, or at their mean"}
		v.Try = []string{"look for an index 0 or a mean over the first axis"}
	}
	t.find("rows-are-independent", v)
	return nil
}

// probeScale takes a batch once and twice: a mean stays, a sum doubles.
func (t *trial) probeScale(b train.Batch) error {
	if b.Len() > 64 {
		b = b.Slice(0, 64).Clone()
	}
	once, norm, err := t.lossAndNorm(b)
	if err != nil {
		return err
	}
	t.measure("", learnsName, hiddenGradient(t.learner), b.Len())
	if err := t.probeDropped(b); err != nil {
		return err
	}
	twice, norm2, err := t.lossAndNorm(double(b))
	if err != nil {
		return err
	}
	if !finite(once) || !finite(norm) {
		return nil // another check says so
	}
	t.measure("", sumName, ratioOf(twice, once), b.Len())
	t.measure("", gradSumName, ratioOf(norm2, norm), b.Len())
	return nil
}

func (t *trial) lossAndNorm(b train.Batch) (loss, norm float64, err error) {
	if loss, err = t.learner.Forward(b, 0); err != nil {
		return 0, 0, fmt.Errorf("forward: %w", err)
	}
	for _, p := range t.learner.Params() {
		for _, g := range p.Grad {
			norm += float64(g) * float64(g)
		}
	}
	return loss, math.Sqrt(norm), nil
}

// double is a batch with every row twice.
func double(b train.Batch) train.Batch {
	twice := func(t train.Tensor) train.Tensor {
		shape := slices.Clone(t.Shape)
		shape[0] *= 2
		return train.Tensor{Shape: shape, Data: slices.Concat(t.Data, t.Data)}
	}
	d := train.Batch{Inputs: twice(b.Inputs), Targets: twice(b.Targets)}
	if b.Rows != nil {
		d.Rows = slices.Concat(b.Rows, b.Rows)
	}
	return d
}

// hiddenGradient is the largest gradient of any parameter but the last, which
// in a dead network is the only one to have any.
func hiddenGradient(l train.Learner) float64 {
	var trained []train.Param
	for _, p := range l.Params() {
		if p.Grad != nil {
			trained = append(trained, p)
		}
	}
	largest := 0.
	for i, p := range trained {
		if i == len(trained)-1 && i > 0 {
			break
		}
		for _, g := range p.Grad {
			largest = max(largest, math.Abs(float64(g)))
		}
	}
	return largest
}

func ratioOf(a, b float64) float64 {
	if a == b {
		return 1
	}
	return a / b
}

func number(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

func sameBits(a, b float32) bool { return math.Float32bits(a) == math.Float32bits(b) }
