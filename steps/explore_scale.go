package steps

import (
	"fmt"
	"math"
	"slices"

	"github.com/actually-robust-training/art/checks"
	"github.com/actually-robust-training/art/record"
)

// offScale is a feature whose scale makes training hard.
type offScale struct {
	group int
	by    float64 // factor beyond the threshold
	small bool
}

// measureScale records the scale of the training inputs and finds features that
// do not vary.
func (x exploration) measureScale() {
	f := x.training()
	x.measure(seenVocabulary, float64(x.data.Tokens), f.rows)
	if x.picture {
		x.measure(seenBlank, float64(f.blank.count), f.rows)
	}
	if f.blank.count > 0 {
		x.find("no-blank-pictures", record.Verdict{Evidence: f.blank.places,
			Likely: []string{"files are damaged or empty, or augmentation and cropping left nothing"},
			Try:    []string{"look at the rows named above"}})
	}
	if x.data.Tokens > 0 {
		x.measureTokens()
		return
	}
	var constant []string
	least, greatest, mean := math.Inf(1), 0., 0.
	for g := range f.features {
		p := &f.features[g]
		mean = max(mean, math.Abs(p.centre()))
		if p.n == 0 {
			continue
		}
		if p.min == p.max {
			constant = append(constant, fmt.Sprintf("%s (%s)", x.group(g), checks.Number(p.first)))
			continue
		}
		least, greatest = min(least, p.std()), max(greatest, p.std())
	}
	if greatest == 0 {
		least = 0
	}
	x.measure(seenLeastStd, least, f.rows)
	x.measure(seenGreatestStd, greatest, f.rows)
	x.measure(seenMean, mean, f.rows)
	if f.rows > 1 {
		x.measure(seenConstant, float64(len(constant)), f.rows)
	}
	if len(constant) > 0 {
		x.find("no-constant-features", record.Verdict{Evidence: []string{"constant in training: " + list(constant)},
			Likely: []string{"the column is empty or filled with a default, or the margin of pictures"},
			Try:    []string{"leave the feature out: it carries nothing, and a value of its own after training would mislead the network"}})
	}
	x.findOffScale()
}

func (x exploration) findOffScale() {
	f := x.training()
	var off []offScale
	greatest := 0. // of those that are not too large
	for g := range f.features {
		if std := f.features[g].std(); std <= x.MaxStd {
			greatest = max(greatest, std)
		}
	}
	for g := range f.features {
		p := &f.features[g]
		if p.n == 0 {
			continue
		}
		std := p.std()
		large := max(std/x.MaxStd, math.Abs(p.mean())/x.MaxMean)
		small := greatest / x.MaxRatio / std
		switch {
		case large > 1:
			off = append(off, offScale{g, large, false})
		case std > 0 && small > 1 && !p.sparse() && f.rows >= leastForDeviation:
			off = append(off, offScale{g, small, true})
		}
	}
	all := pool(f.features)
	tiny := len(off) == 0 && x.tiny(all)
	if tiny {
		off = append(off, offScale{0, tinyStd / all.std(), true})
	}
	x.measure(seenOffScale, float64(len(off)), f.rows)
	if len(off) == 0 {
		return
	}
	slices.SortStableFunc(off, func(a, b offScale) int {
		switch {
		case a.by > b.by:
			return -1
		case a.by < b.by:
			return 1
		}
		return 0
	})
	v := record.Verdict{Files: []string{"data-card.md", "sample.npy"}, Try: []string{"normalise with mean and deviation of the training data (datasets.Fit, or datasets.Set.Data without Raw), all stages by the same ones",
		"if the network itself begins with a normalisation, raise MaxStd and MaxMean of this step"}}
	for _, o := range off[:min(len(off), placesNamed)] {
		p := &f.features[o.group]
		v.Evidence = append(v.Evidence, fmt.Sprintf("%s: %s, range %s … %s", x.group(o.group), p.String(),
			checks.Number(p.min), checks.Number(p.max)))
	}
	if tiny {
		v.Evidence = []string{fmt.Sprintf("all inputs: std %s, range %s … %s", checks.Number(all.std()), checks.Number(all.min), checks.Number(all.max))}
	}
	v.Likely = x.scaleCauses(off, all, tiny)
	x.find("features-on-one-scale", v)
}

// Inputs are too small when both their deviation and their largest value are
// below these, as pixels in [0, 1] that were divided by 255 once more. Features
// must be short as vectors too: those of length one have small elements when
// they are many.
const tinyStd, tinyPeak, tinyLength = 0.03, 0.1, 0.5

func (x exploration) tiny(all powers) bool {
	std, mean := all.std(), all.mean()
	length := math.Sqrt((std*std + mean*mean) * float64(x.groups*x.span))
	return std > 0 && std < tinyStd && all.peak() < tinyPeak && (x.picture || length < tinyLength)
}

func (x exploration) scaleCauses(off []offScale, all powers, tiny bool) []string {
	switch {
	case tiny:
		return []string{"the inputs were scaled twice: no value reaches " + checks.Number(tinyPeak)}
	case x.whole && all.min >= 0 && all.max <= 255 && (x.picture || x.groups > 16):
		return []string{fmt.Sprintf("pixels as they are stored: every input is a whole number in 0 … %s", checks.Number(all.max))}
	case x.whole && all.min >= 0 && !x.picture:
		return []string{"the features are in units of their own",
			fmt.Sprintf("the inputs are token ids: if so, declare the vocabulary, train.Data.Tokens: %.0f", all.max+1)}
	case len(off) < x.groups:
		return []string{fmt.Sprintf("%d of %d features are in units of their own", len(off), x.groups)}
	}
	return []string{"the inputs are not normalised"}
}

func (x exploration) measureTokens() {
	var evidence []string
	count := 0
	for _, f := range x.stages {
		count += f.notTokens.count
		evidence = append(evidence, f.notTokens.places...)
	}
	x.measure(seenNotTokens, float64(count), x.allRows())
	if count > 0 {
		v := record.Verdict{Evidence: evidence, Likely: []string{"the vocabulary has more tokens than train.Data.Tokens says"},
			Try: []string{"count the vocabulary with the tokens for what is unknown or padded"}}
		if !x.whole {
			v.Likely = []string{"the ids were normalised, as quantities are: not all are whole numbers"}
			v.Try = []string{"leave ids as they are (Raw in datasets.Options)"}
		}
		x.find("features-on-one-scale", v)
	}
}

func (e ExploreData) onOneScale(s *record.StepRun) record.Verdict {
	if tokens := value(s, seenVocabulary, ""); tokens > 0 {
		bad := value(s, seenNotTokens, "")
		v := checks.Hold(bad == 0, fmt.Sprintf("ids 0 to %.0f", tokens-1), "all in range")
		v.Claim = "token ids are in the vocabulary"
		if bad > 0 {
			v.Got, v.Trouble = fmt.Sprintf("out of range: %.0f", bad), fmt.Sprintf("some inputs are no id of the %.0f tokens", tokens)
		}
		return v
	}
	off := value(s, seenOffScale, "")
	least, greatest, mean := value(s, seenLeastStd, ""), value(s, seenGreatestStd, ""), value(s, seenMean, "")
	v := checks.Hold(off == 0,
		fmt.Sprintf("std ≤ %s, ratio ≤ %s, |mean| ≤ %s", checks.Number(e.MaxStd), checks.Number(e.MaxRatio), checks.Number(e.MaxMean)),
		fmt.Sprintf("std %s … %s, |mean| up to %s", checks.Number(least), checks.Number(greatest), checks.Number(mean)))
	v.Trouble = "the inputs are far from mean 0 and deviation 1: a network learns from them slowly or not at all"
	return v
}

func noConstants(s *record.StepRun) record.Verdict {
	constant := value(s, seenConstant, "")
	if !finite(constant) {
		return without("token ids, or a single row")
	}
	v := checks.Hold(constant == 0, "0", fmt.Sprintf("%.0f constant", constant))
	v.Trouble = "some inputs have the same value in all training rows"
	return v
}

// maxBlank is the share of training pictures that may be blank.
const maxBlank = 0.01

func noBlanks(s *record.StepRun) record.Verdict {
	blank, _ := s.Score(seenBlank, "")
	if !finite(blank.Value) {
		return without("the inputs are no pictures")
	}
	share := blank.Value / float64(blank.Rows)
	v := checks.Hold(share <= maxBlank, "≤ "+percent(maxBlank)+" blank", fmt.Sprintf("%.0f of %d", blank.Value, blank.Rows))
	v.Trouble = "some training pictures have one colour only"
	return v
}
