package steps

import (
	"context"
	"fmt"
	"strconv"

	"github.com/actually-robust-training/art/arttest"
	"github.com/actually-robust-training/art/checks"
	"github.com/actually-robust-training/art/record"
	"github.com/actually-robust-training/art/train"
)

// ExploreData looks at the data before any network does: "become one with the
// data" (Karpathy 2019). It walks over every stage once, in the stored order and
// without augmentation, holding 32 bytes a row and no rows but a small sample;
// then it reads a few batches again, to see that passes repeat and mix the classes.
// Data that cannot be read, an empty stage, and rows of different shapes are
// errors.
//
// Default checks: no-nan-or-inf, targets-in-range, classes-in-training,
// no-new-classes, features-on-one-scale, no-placeholders, no-leakage, inputs-alike, passes-repeat,
// order-is-mixed, no-conflicting-targets, no-target-in-inputs; and the warnings
// no-constant-features, no-blank-pictures, classes-balanced, no-duplicates,
// targets-alike, sizes.
//
// Artifacts: data-card.md; sample.npy, the first training rows; class-counts and
// histograms as SVG and PNG; and contact-sheet.png for pictures of one or three
// channels.
//
// Thresholds that are zero take their default; negative ones are zero.
type ExploreData struct {
	// MaxStd and MaxMean bound the standard deviation and the absolute mean of
	// every feature of the training inputs (of every channel for pictures).
	// Defaults 5 and 10: centimetres of petals and pixels in [0, 1] pass, bytes
	// and prices do not. Inputs that are token ids have no scale.
	MaxStd, MaxMean float64
	// MaxRatio bounds the ratio of the largest to the smallest deviation of a
	// feature. Features that mostly have one value do not count. Default 100.
	MaxRatio float64
	// MinPerplexity bounds (exp(H)−1)/(K−1) from below, H being the entropy of the
	// K classes in training: 1 when all are equally frequent. Default 0.5.
	MinPerplexity float64
	// MinRarest bounds the ratio of the rarest class to the commonest. Default 0.1.
	MinRarest float64
	// MaxDuplicates is the share of training rows that may repeat another. Default 0.05.
	MaxDuplicates float64
	// MaxConflicts is the share of training rows whose target may contradict rows
	// with the same inputs; any at all is a warning. Default 0.05: above it, no
	// network can reach a training accuracy of 0.95.
	MaxConflicts float64
	// MaxLeakage is the share of the rows of a stage that may also be in training,
	// beyond two rows and what chance explains; any at all is a warning. Default 0.05.
	MaxLeakage float64
	// MaxShift is how far the mean of a feature may lie from that of training, in
	// standard deviations within the stages, beyond what chance explains. Default 0.5.
	MaxShift float64
	// MaxSpread is the factor by which its deviation may be larger or smaller,
	// beyond what chance explains. Default 2.
	MaxSpread float64
	// MaxDrift bounds Cramér's V between the classes of training and of another
	// stage, beyond what chance explains. Default 0.15.
	MaxDrift float64
	// Examples is the number of pictures of each class on the contact sheet.
	// Default 8, fewer when there are more than 12 classes.
	Examples int
	Options  arttest.Options
}

// Names of what the step measures. Rows are measured on each stage; all else is
// about all stages together, or the worst of them, and has none.
const (
	seenRows         = "rows"
	seenValues       = "values"
	seenNotFinite    = "not-finite"           // values
	seenWrong        = "targets-out-of-range" // class ids
	seenFlat         = "targets-constant"     // 1 for a regression whose targets are all equal
	seenLeftOut      = "targets-left-out"     // negative class ids
	seenCounted      = "targets-counted"      // class ids of training that are not left out
	seenClasses      = "classes"              // 0 for a regression
	seenMissing      = "classes-missing"      // in training
	seenNew          = "classes-new"          // targets elsewhere of a class that training lacks
	seenTokenTargets = "targets-are-tokens"   // 1 when the classes are the vocabulary
	seenVocabulary   = "vocabulary"           // 0 for inputs that are not token ids
	seenNotTokens    = "tokens-out-of-range"  // inputs
	seenOffScale     = "features-off-scale"   // features or channels
	seenLeastStd     = "std-least"            // of a feature that is not constant
	seenGreatestStd  = "std-greatest"         // of a feature
	seenMean         = "mean-greatest"        // of a feature, in magnitude
	seenPlaceholders = "features-with-holes"  // features with a number for what is missing
	seenConstant     = "features-constant"    // features
	seenBlank        = "pictures-blank"       // training pictures of one colour
	seenPerplexity   = "class-perplexity"     // 0..1
	seenRarest       = "rarest-to-commonest"  // 0..1
	seenGiven        = "features-that-tell"   // features that hold the target
	seenGivenMost    = "told-greatest"        // η² or r² of the feature that tells most
	seenApart        = "features-that-divide" // features of which each class has a range to itself
	seenFeatures     = "features"             // told one by one
	seenDiscrete     = "discrete"             // 1 when equal rows come about by chance
	seenDuplicates   = "duplicates"           // share of training rows
	seenConflicts    = "conflicts"            // share of training rows
	seenLeaked       = "leaked"               // share of the rows of the worst stage
	seenLeakedRows   = "leaked-rows"          // rows of that stage
	seenChance       = "leaked-by-chance"     // share that chance explains: 0 unless discrete
	seenLeakLimit    = "leaked-limit"         // the share that is too much
	seenShifted      = "features-shifted"     // features or channels
	seenShift        = "shift-greatest"       // in standard deviations
	seenSpread       = "spread-greatest"      // as a factor ≥ 1
	seenDrift        = "class-drift"          // Cramér's V, or the shift of a regression's targets
	seenDriftLimit   = "class-drift-limit"    // what is too much
	seenOddSizes     = "sizes-odd"            // remarks about sizes
	seenBadSizes     = "sizes-wrong"          // stages that have not the rows that train.Data says
	seenRepeat       = "passes-differ"        // 1 when equal passes are not
	seenSorted       = "order-unmixed"        // share of neighbours of one class beyond chance
)

// Plan is the step's plan.
func (e ExploreData) Plan() arttest.Plan {
	e = e.withDefaults()
	p := arttest.Plan{Name: "explore-data", Options: e.Options, Settings: e.settings(), Checks: []checks.Check{
		check("no-nan-or-inf", "every value is a number", allFinite),
		check("targets-in-range", "targets are what they may be", targetsInRange),
		check("classes-in-training", "training has every class", classesInTraining),
		check("no-new-classes", "no class is new after training", noNewClasses),
		check("features-on-one-scale", "inputs are near mean 0 and deviation 1", e.onOneScale),
		check("no-placeholders", "no number stands for a missing one", noPlaceholders),
		checks.Warn(check("no-constant-features", "every input varies", noConstants)),
		checks.Warn(check("no-blank-pictures", "pictures show something", noBlanks)),
		checks.Warn(check("classes-balanced", "classes are equally frequent, roughly", e.balanced)),
		checks.Warn(check("no-duplicates", "training rows are different", e.noDuplicates)),
		check("no-conflicting-targets", "equal inputs have equal targets", e.noConflicts),
		check("no-target-in-inputs", "no input gives the target away", noGiveaway),
		check("no-leakage", "no row of another stage is in training", noLeakage),
		check("inputs-alike", "inputs are alike in all stages", e.inputsAlike),
		checks.Warn(check("targets-alike", "targets are alike in all stages", targetsAlike)),
		checks.Warn(check("sizes", "stages have the rows they need", sizesFit)),
		check("passes-repeat", "equal passes have equal batches", passesRepeat),
		check("order-is-mixed", "shuffled batches mix the classes", orderMixed),
	}}
	for _, stage := range []string{train.Training, train.Validation, train.Test} {
		p.Scores = append(p.Scores, checks.Ref{Metric: seenRows, Stage: stage})
	}
	for _, name := range []string{
		seenValues, seenNotFinite, seenWrong, seenFlat, seenLeftOut, seenCounted, seenClasses, seenMissing, seenNew, seenTokenTargets,
		seenVocabulary, seenNotTokens, seenOffScale, seenLeastStd, seenGreatestStd, seenMean, seenPlaceholders, seenConstant, seenBlank,
		seenPerplexity, seenRarest, seenGiven, seenGivenMost, seenApart, seenFeatures, seenDiscrete, seenDuplicates, seenConflicts, seenLeaked, seenLeakedRows, seenChance, seenLeakLimit,
		seenShifted, seenShift, seenSpread, seenDrift, seenDriftLimit, seenOddSizes, seenBadSizes, seenRepeat, seenSorted,
	} {
		p.Scores = append(p.Scores, checks.Ref{Metric: name})
	}
	return p
}

// Run walks over the data and records what it finds.
func (e ExploreData) Run(ctx context.Context, s *arttest.Scope) error {
	x := exploration{ExploreData: e.withDefaults(), survey: &survey{}, emit: s.Emit, save: s.Save, progress: s.Progress}
	return x.run(ctx, s.Data(), s.Seed())
}

// exploration is one run of the step.
type exploration struct {
	ExploreData
	*survey
	emit     func(record.Event)
	save     train.SaveFunc
	progress func(done, total int, note string)
}

func (x exploration) run(ctx context.Context, d train.Data, seed uint64) error {
	*x.survey = survey{data: d, seed: seed, sample: sample{examples: x.Examples}}
	for _, stage := range d.Stages() {
		err := x.walk(ctx, stage, func(rows int) { x.progress(rows, d.Sizes[stage], stage) })
		if err != nil {
			return err
		}
	}
	x.measureValues()
	x.measureClasses()
	x.measureScale()
	x.measurePlaceholders()
	x.measureTwins()
	x.measureGiveaway()
	x.measureStages()
	x.measureSizes()
	if err := x.measureOrder(ctx); err != nil {
		return err
	}
	return x.artifacts()
}

// measure records a number about all stages.
func (x exploration) measure(name string, value float64, rows int) {
	x.emit(record.Event{Kind: record.Score, Name: name, Value: value, Rows: rows})
}

// find records evidence for a check.
func (x exploration) find(check string, v record.Verdict) {
	x.emit(record.Event{Kind: record.Found, Name: check, Verdict: &v})
}

// allRows is the number of rows of all stages.
func (x exploration) allRows() int {
	rows := 0
	for _, f := range x.stages {
		rows += f.rows
	}
	return rows
}

func (e ExploreData) withDefaults() ExploreData {
	for _, t := range e.thresholds() {
		switch {
		case *t.value == 0:
			*t.value = t.standard
		case *t.value < 0:
			*t.value = 0
		}
	}
	return e
}

func (e ExploreData) settings() map[string]string {
	s := map[string]string{}
	for _, t := range e.thresholds() {
		s[t.name] = strconv.FormatFloat(*t.value, 'g', -1, 64)
	}
	return s
}

type threshold struct {
	name     string
	value    *float64
	standard float64
}

func (e *ExploreData) thresholds() []threshold {
	return []threshold{
		{"max-std", &e.MaxStd, 5}, {"max-mean", &e.MaxMean, 10}, {"max-ratio", &e.MaxRatio, 100},
		{"min-perplexity", &e.MinPerplexity, 0.5}, {"min-rarest", &e.MinRarest, 0.1},
		{"max-duplicates", &e.MaxDuplicates, 0.05}, {"max-conflicts", &e.MaxConflicts, 0.05}, {"max-leakage", &e.MaxLeakage, 0.05},
		{"max-shift", &e.MaxShift, 0.5}, {"max-spread", &e.MaxSpread, 2}, {"max-drift", &e.MaxDrift, 0.15},
	}
}

// percent writes a share.
func percent(share float64) string { return fmt.Sprintf("%.3g %%", 100*share) }
