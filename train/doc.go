// Package train says what an iteration is: batches of data, a learner that
// turns one into a loss and gradients, the update of its weights, the loop
// that repeats both, and the decorators that wrap the update.
//
// It is one of the two vocabularies of the project and imports none of our
// packages. The other is record: what happened. Engines (nn) and learners
// without an engine (baselines) implement [Learner]; data sets (datasets)
// supply [Source]; steps put the two together and feed what the [Loop] reports
// into record events.
//
// # One seed
//
// Everything random is a pure function of a seed and a name: the order of the
// rows, augmentation, initial weights, dropout masks. [Derive] makes the seed of
// a part from the seed of the whole, so no part holds the state of a random
// generator, two parts never share one, and training can go on from any
// iteration by skipping batches.
package train
