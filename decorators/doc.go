// Package decorators has decorators for the update of a training loop that only
// look: they save and log what goes through it, and change nothing, bit for bit.
//
// Each is a struct of options whose zero value works; its method Decorate is a
// [train.Decorator]. They attach in one line to a recipe (all steps), to a step,
// or to a model:
//
//	arttest.Recipe{Decorators: []train.Decorator{decorators.BatchSaver{}.Decorate}}
//	arttest.Options{Decorators: []train.Decorator{decorators.GradientStats{Every: 5}.Decorate}}
//	model.Decorators = append(model.Decorators, decorators.ActivationStats{}.Decorate)
//
// Numbers go to the loop's log and become curves of the run; files go where the
// loop saves, the artifacts of a step. Nothing is shared between loops: one
// value may decorate any number of them, at the same time too.
package decorators
