// Package record says what happened: events, the run they add up to, the
// verdicts of checks, and the file that keeps them.
//
// It is one of the two vocabularies of the project and imports none of our
// packages. The other is train: what an iteration is. Steps turn what a
// training loop reports into events; checks judge the fold of them, a
// [StepRun]; arttest writes them to the event file of the run; loggers are
// sinks that send them elsewhere.
//
// # The event file
//
// One JSON object a line, in the order in which things happened, only ever
// appended to. Field names are lower case; fields at their zero value are left
// out, except "value" of kinds that have one. Numbers that JSON cannot write
// are the strings "NaN", "+Inf" and "-Inf". The first line is of kind run-start
// and carries "schema", the version of this format. A line without its newline
// is the torn end of a killed process and is not part of the run.
package record
