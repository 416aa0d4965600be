// Package steps has the steps of the usual recipe, each with the checks that
// earn it its place:
//
//	ExploreData       is the data fit to be learned from?
//	EvaluateBaseline  what must a network beat?
//	CheckLossOnInit   is the loss what a fresh network's loss must be?
//	OverfitOneBatch   can the network learn a handful of rows by heart?
//	Overfit           can it learn the training data, and something of the rest?
//	Regularize        does it do as well on data it has not seen?
//	TransferLearning  does a trained network learn a second task without losing the first?
//
// They are the stages of "A Recipe for Training Neural Networks" (Karpathy 2019).
// A step runs a [train.Loop], reports what it measures as record events through
// its arttest.Scope, and brings checks that are functions of that record. Only
// this package knows both vocabularies, train and record.
//
// What a step found out about the cause of a trouble, it records as a finding
// under the name of the check that will quote it: causes in messages are
// measured, never guessed.
package steps
