// Package arttest runs a recipe as a Go test: an ordered list of steps, each a
// subtest, each of its checks a subtest below it.
//
//	func TestRecipe(t *testing.T) {
//		r := arttest.New(t, arttest.Recipe{Data: datasets.Iris(), Metrics: metrics.Set{metrics.Accuracy}})
//		mlp := nn.Classifier("mlp", buildMLP)
//		arttest.Step(r, steps.OverfitOneBatch{Model: mlp})
//		arttest.Step(r, steps.Overfit{Model: mlp, Epochs: 60}, checks.AtLeast("accuracy", "training", 0.97))
//	}
//
// A step is anything with a [Plan] and a Run method, see [Stepper]; package steps
// has the usual ones. What a step reports through its [Scope] becomes record
// events; they are written to the run's event file and folded into a
// record.StepRun, which checks judge.
//
// # Order
//
// A step needs all steps before it, or those that [Options].After names. When one
// of them did not pass, the step is skipped and says which. A step that -run
// leaves out is run all the same when a selected step needs it, within the
// selected one's subtest.
//
// # Trouble
//
// A check that does not hold fails its own subtest; all are judged, whatever the
// others say, and a check that panics is one that does not hold. An error or a
// panic of a step, of a metric, of data, of a logger, the end of the step's
// goroutine, and the test's deadline break the step; the next test runs. Every
// failure ends in the command that repeats it. Misuse fails at once, at the line
// of New or Step. The first Ctrl-C stops the step and lets no other begin; the
// second ends the process.
//
// # A second run
//
// A step that passed is not run again while nothing that its result depends on
// changes: its fields and settings, the model, the source of what the calls of New
// and Step are made of, content of the data, seed, version of this module and of Go,
// and the same of all steps that it needs. What it recorded then is taken over, the
// checks are judged anew, and the output says from which run it is; otherwise it
// says what changed. So -run TestRecipe/overfit takes the steps before from history.
// A step that failed or broke runs again. Steps that read what is neither data of the
// recipe nor of their fields say so by [Plan].Inputs or [Options].Fresh: nobody sees
// a change of what code reads from files, servers or the clock.
//
// A training that was killed, interrupted, or stopped by the deadline goes on at its
// last checkpoint when the same step runs again, to the same bits; see [Scope].Train.
//
// A step with a check of checks.Seeds runs with several seeds, as many at a time as
// there are threads (GOMAXPROCS). What was run with a seed is not run again when
// the step failed or is to run with more; of what is interrupted, the seeds that ended.
//
// Everything runs from the beginning with -art.fresh, with -count, and where CI is true, unless
// -art.fresh=false is given.
//
// # Files
//
// Each run has a directory, .art/recipe/run, with its events (events.jsonl, whole
// up to the last event however the process ends), what its steps saved, and a
// manifest of it. Beside the runs of a recipe, the folders passed, tried and
// checkpoints say which run a later one goes on from; they may be deleted at any time.
//
// # Flags
//
//	-art.seed N   seed of every recipe, in place of its own        ART_SEED
//	-art.dir DIR  where runs are kept, in place of .art; relative  ART_DIR
//	              to go.mod's folder
//	-art.fresh    run steps that passed before, though nothing     ART_FRESH
//	              changed
//	-art.quiet    no progress lines                                ART_QUIET
//
// With ./... set the variables: packages without a recipe do not know the flags.
//
// Flags of go test count too: -short makes a dry run (one batch of each stage,
// nothing is judged), -timeout stops a step in time to say how far it came, and
// -artifacts copies what a step saved into its artifact directory.
package arttest
