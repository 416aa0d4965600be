// Package checks stands for the real one.
package checks

import "github.com/actually-robust-training/art/arttest"

func AtLeast(metric string, value float64) arttest.Check {
	return arttest.Check{Name: metric, Judge: func() bool { return value > 0 }}
}
