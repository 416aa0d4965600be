// Package record says what happened: events, the run they add up to, the
// verdicts of checks, and the file that keeps them.
//
// It is one of the two vocabularies of the project and imports none of our
// packages. The other is train: what an iteration is. Steps turn what a
// training loop reports into events; a [Stamp] numbers them; checks judge the
// fold of them, a [StepRun]; arttest writes them to the event file of the run, a
// [File]; loggers are sinks that send them elsewhere. Package recordtest has the
// conformance suite for sinks.
//
// # The event file
//
// One JSON object a line, in the order in which things happened, only ever
// appended to. The fields are those of [Event] in lower case, "verdict" and
// "artifact" being objects with the fields of [Verdict] and [Artifact]. Fields at
// their zero value are left out, except "seq", and "value" of scalars and scores.
// Numbers that JSON cannot write are the strings "NaN", "+Inf" and "-Inf"; "-0" is
// minus zero. "time" is RFC 3339 with up to nine decimals, in UTC; "duration" is
// in nanoseconds.
//
//	{"schema":1,"seq":1,"time":"2026-01-31T12:00:00Z","kind":"run-start","name":"iris","text":"7Q2K"}
//	{"seq":2,"time":"2026-01-31T12:00:00.001Z","kind":"scalar","step":"overfit","name":"loss","value":1.0986}
//
// The first line of the file, which is of kind run-start, and the first that any
// later process appends carry "schema", the version of this format. A line
// without its newline is the torn end of a killed process and is not part of the
// run. No line is longer than [MaxLine].
package record
