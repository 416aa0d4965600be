// Package fingerprint finds out whether a step of a recipe would compute today
// what it computed before. A [Print] holds all on which the result depends, one
// [Ingredient] each: the step and its settings, the seed, the data, the network
// that was built, the code, the engine, and the prints of the steps before. Equal
// sums mean that an earlier result may be reused; [Diff] says what is different.
//
// It stands above train and below arttest, which takes the prints of the steps
// it runs and compares them with those in its history. It imports only train and
// the standard library, for it is linked into every test.
//
// # Code
//
// A [Reader] reads the source of the test that is running. Variables that a
// function literal captured cannot be seen at run time, so it starts not from
// values but from the calls of arttest.New and arttest.Step ([Site]): whatever a
// step can do was handed to one of these calls. It takes
//
//   - the arguments of the call;
//   - of the function around it, the statements that declare or change a variable
//     in these arguments, by name, in any scope, through pointers, aliases or
//     methods, with the loops and branches around them, and what those statements
//     use in turn; if a parameter is among it, the arguments of the call of that
//     function, up the stack;
//   - all declarations that these mention, in the user's module and in modules that
//     stand beside it in a local folder (replace, go.work), and those that these
//     mention: functions, constants, variables with all statements of any function
//     that change them, types with all their methods;
//   - what runs before tests do: init functions, TestMain, variables named _, of
//     every package the test imports;
//   - calls made for their effects in the functions around the call, except
//     for those of this module, of testing, and of packages that print or assert;
//   - flags, arguments and environment variables that this code reads, by value,
//     and files that go:embed puts into it.
//
// Comments, white space, order, and the files and folders in which declarations
// stand do not count; names do. Too much may be taken (two variables of one name
// are one, any method is called), never too little, within the limits below.
// Another step, check, test, log line or function that nothing mentions changes
// nothing.
//
// Modules with a version count by version and checksum in go.mod and go.sum. This
// module does so, too; where it has no version, because it is being worked on, by
// the bytes of its packages.
//
// Where source cannot be trusted the test binary stands for all code, and the
// ingredient says so: sources that are missing, cannot be parsed, are newer than
// the binary, use cgo or linkname; binaries built with -trimpath.
//
// # Limits
//
// Not seen: what code reads at run time from files, the network, the clock or an
// unseeded random source, except through the data, whose content counts, and
// through the initial weights of the model, which count too; values chosen by a
// loop around a step, if they change neither settings, nor name, nor initial
// weights of the model (the list over which the loop runs is seen); what a function
// of another module sets there, if the test goes on with its result and not only
// with its error; environment variables, where
// the binary stands for the code; reflection by name, plugins, -overlay, -modfile; a
// source file older than the binary that is not the one it was built from. Features
// of the CPU are left out on purpose: see [Reader.Engine].
package fingerprint
