// Package examples_test has recipes to learn from. Each is a test, and each is
// the quickstart, TestIris, plus one idea:
//
//	TestIris        the usual steps on a small table
//	TestGlyphs      pictures: convolutions, augmentation, variants of regularising
//	TestFashion     the quickstart of the Python ART, step by step
//	TestDigits      real handwriting by writers the network has not seen
//	TestRegression  values instead of classes
//	TestNames       a model of characters
//	TestTransfer    what was learned on five digits helps with five others
//	TestOwnParts    a step, a check and a metric of one's own
//
// Those that need files look for them under ART_DATA_DIR and in the user's cache
// folder, and skip with a line that says what is missing where.
package examples_test

import (
	"errors"
	"io/fs"
	"testing"

	"github.com/actually-robust-training/art/train"
)

// need returns the data, or skips the test when its files are not there.
func need(t *testing.T, d train.Data, err error) train.Data {
	t.Helper()
	if errors.Is(err, fs.ErrNotExist) {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	return d
}
