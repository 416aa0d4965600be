package steps

import (
	"fmt"

	"github.com/actually-robust-training/art/checks"
	"github.com/actually-robust-training/art/record"
	"github.com/actually-robust-training/art/train"
)

func finiteLoss(s *record.StepRun) record.Verdict {
	got := value(s, train.LossName, train.Training)
	v := checks.Hold(finite(got), "a finite number", checks.Number(got))
	v.Trouble = "the loss of the fresh network is not a number"
	v.Likely = []string{"the inputs hold NaN or infinity", "the loss takes the logarithm of zero or divides by it"}
	v.Try = []string{"run steps.ExploreData before this step; give the loss logits, not probabilities"}
	return v
}

func (c CheckLossOnInit) expectedLoss(s *record.StepRun) record.Verdict {
	got, want, prior := value(s, train.LossName, train.Training), value(s, expectedName, ""), value(s, priorName, "")
	if !finite(want) {
		return without(checks.Number(got) + " (what to expect of this loss is not known: set Want)")
	}
	tolerance := c.tolerance()
	spread := min(value(s, spreadName, ""), 0.5)
	if !finite(spread) || c.Want != 0 {
		spread = 0
	}
	low, high := min(prior, want)*(1-tolerance)-spread, want*(1+tolerance)+spread
	if !c.Model.Loss.Classifies() && c.Want == 0 {
		low, high = min(prior, want)/2, 2.5*want
	}
	text := fmt.Sprintf("%s ± %s", checks.Number(want), checks.Number(high-want))
	if !c.Model.Loss.Classifies() || want-low > 1.001*(high-want) {
		text = fmt.Sprintf("%s … %s", checks.Number(low), checks.Number(high))
	}
	v := checks.Hold(got >= low && got <= high, text, checks.Number(got))
	v.Claim = c.claim()
	v.Trouble = fmt.Sprintf("the loss of the fresh network is %s, it should start near %s", checks.Number(got), checks.Number(want))
	return v
}

func (c CheckLossOnInit) claim() string {
	switch {
	case c.Want != 0:
		return "loss starts at " + checks.Number(c.Want)
	case c.Model.Loss.Kind == train.CrossEntropy:
		return "loss starts at ln K"
	case c.Model.Loss.Kind == train.BinaryCrossEntropy:
		return "loss starts at ln 2"
	}
	return "loss starts near that of predicting zero"
}

// mostConfident is the share of rows that a fresh network may be sure of.
const mostConfident = 0.1

func notSaturated(s *record.StepRun) record.Verdict {
	p, ok := s.Score(confidentName, "")
	if !ok {
		return without("no classes")
	}
	v := checks.Hold(p.Value < mostConfident, "< 10 % of rows above 0.99", checks.Number(100*p.Value)+" %")
	v.Trouble = fmt.Sprintf("the fresh network is already sure of %s %% of the rows", checks.Number(100*p.Value))
	return v
}

// dependsOnInputs passes a last layer of zeros, whose outputs are all equal but
// whose gradients are not zero.
func dependsOnInputs(s *record.StepRun) record.Verdict {
	differ, gradient := value(s, dependsName, ""), value(s, learnsName, "")
	got := "they differ between rows"
	if value(s, sameInputName, "") == 0 {
		v := checks.Hold(false, "inputs that differ", "the same inputs in all rows")
		v.Trouble = "the inputs of all rows are the same: there is nothing to tell them apart by"
		v.Likely = []string{"the inputs are blank or constant: lost on the way from the file to the batch"}
		v.Try = []string{"look at a batch with decorators.BatchSaver"}
		return v
	}
	if differ == 0 {
		got = "the same for all rows"
	}
	v := checks.Hold(differ == 1 || gradient > 0, "outputs that differ, or gradients that do", got)
	v.Trouble = "the network gives every row the same output, and no gradient will change that"
	v.Likely = []string{"all units of a layer are dead (ReLU of negative numbers only)", "the inputs do not reach the output, or are all equal"}
	v.Try = []string{"initialise biases at 0 and weights with He's deviation √(2/fan-in); look at one batch of inputs"}
	return v
}

func lossIsMean(s *record.StepRun) record.Verdict {
	if _, ok := s.Score(sumName, ""); !ok {
		return without("no finite loss to compare")
	}
	loss, gradient := value(s, sumName, ""), value(s, gradSumName, "")
	v := checks.Hold(loss > 0.6 && loss < 1.5 && !(gradient > 1.6), "the same for a batch taken twice", fmt.Sprintf("%s × as large", checks.Number(loss)))
	v.Trouble = fmt.Sprintf("a batch with every row twice has %s times the loss and %s times the gradient", checks.Number(loss), checks.Number(gradient))
	v.Likely = []string{"the loss is summed over the rows of a batch, not averaged: the learning rate then means something else for every batch size"}
	v.Try = []string{"divide the loss by the number of rows"}
	return v
}

func rowsIndependent(s *record.StepRun) record.Verdict {
	got := value(s, batchName, "")
	v := checks.Hold(got < 1e-3, "< 0.001", checks.Number(got))
	v.Trouble = "the prediction for a row changes with the rows that are predicted with it"
	return v
}

func repeatable(s *record.StepRun) record.Verdict {
	got := "the same twice"
	changes := value(s, repeatName, "")
	if changes != 0 {
		got = "a change"
	}
	v := checks.Hold(changes == 0, "the same twice", got)
	v.Trouble = "predicting the same batch twice gives two results, or changes the network"
	return v
}

func headBias(s *record.StepRun) record.Verdict {
	want, prior, got := value(s, expectedName, ""), value(s, priorName, ""), value(s, train.LossName, train.Training)
	if !finite(want) || prior > 0.7*want {
		return without("targets are balanced")
	}
	v := checks.Hold(got <= prior*1.2, "≤ "+checks.Number(prior*1.2), checks.Number(got))
	v.Trouble = fmt.Sprintf("the loss starts at %s; knowing the mean of the targets alone gives %s", checks.Number(got), checks.Number(prior))
	v.Likely = []string{"the last bias starts at zero though the targets are far from balanced"}
	v.Try = []string{"start it at the log-frequencies of the classes, or at the mean of the targets; or standardise the targets"}
	return v
}
