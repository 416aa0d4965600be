package docs

import (
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/actually-robust-training/art/internal/archtest"
)

// design.md has the rows of the import table, in its order.
func TestDesignHasImportTable(t *testing.T) {
	type row struct{ Package, Imports string }
	var want, got []row
	for _, r := range archtest.Table {
		if r.Package == "docs" {
			continue // it has no code to import from, and archtest keeps that
		}
		imports := strings.Join(slices.Sorted(slices.Values(r.Imports)), ", ")
		if imports == "" {
			imports = "nothing"
		}
		want = append(want, row{r.Package, imports})
	}
	table, _, _ := strings.Cut(section(t, page(t, "design.md"), "## Packages"), "| arrow |")
	for _, c := range cells(table) {
		if c[0] == "`docs`" {
			continue
		}
		imports := strings.Split(strings.ReplaceAll(c[2], "`", ""), ", ")
		slices.Sort(imports)
		got = append(got, row{strings.Trim(c[0], "`"), strings.Join(imports, ", ")})
	}
	assert.Equal(t, want, got, "the table of packages in design.md and Table in internal/archtest/table.go must agree")
}
