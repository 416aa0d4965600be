// Package loggers sends what happened in a run to where people look at it:
// files, a terminal, TensorBoard, and servers. A logger is a [record.Sink]; a
// recipe of arttest names its loggers in its field Loggers and closes them.
//
// Each logger is a struct whose zero value works inside a recipe. It opens what
// it needs at the first event, so that a recipe that never runs leaves nothing
// behind. Where a logger keeps less than the event file does, its comment says
// what. Filter and Tee put loggers together:
//
//	Loggers: []record.Sink{
//		&loggers.TensorBoard{},
//		&loggers.Filter{Sink: &loggers.CSV{Path: "curves.csv"}, Names: []string{"loss"}, Every: 10},
//	}
package loggers
