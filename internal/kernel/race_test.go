//go:build race

package kernel

// raceEnabled thins out the tables: the race detector makes Go code ten times
// slower, and races do not depend on the numbers.
const raceEnabled = true
