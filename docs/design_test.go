package docs

import (
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/actually-robust-training/art/internal/archtest"
)

// design.md has the rows of the import table, in its order.
func TestDesignHasImportTable(t *testing.T) {
	type row struct{ Package, Imports string }
	var want, got []row
	for _, r := range archtest.Table {
		imports := strings.Join(slices.Sorted(slices.Values(r.Imports)), ", ")
		if imports == "" {
			imports = "nothing"
		}
		want = append(want, row{r.Package, imports})
	}
	table, _, _ := strings.Cut(section(t, page(t, "design.md"), "## Packages"), "| arrow |")
	for _, c := range cells(table) {
		imports := strings.Split(strings.ReplaceAll(c[2], "`", ""), ", ")
		slices.Sort(imports)
		got = append(got, row{strings.Trim(c[0], "`"), strings.Join(imports, ", ")})
	}
	assert.Equal(t, want, got, "the table of packages in design.md and Table in internal/archtest/table.go must agree")
}

// Every arrow that does not lead to a vocabulary has a reason in design.md.
func TestArrowsHaveReasons(t *testing.T) {
	_, reasons, found := strings.Cut(section(t, page(t, "design.md"), "## Packages"), "| arrow |")
	require.True(t, found)
	given := map[[2]string]bool{}
	for _, c := range cells("| arrow |" + reasons) {
		from, to, ok := strings.Cut(c[0], " → ")
		require.True(t, ok, "%q is no arrow", c[0])
		for _, f := range span.FindAllStringSubmatch(from, -1) {
			for _, to := range span.FindAllStringSubmatch(to, -1) {
				given[[2]string{f[1], to[1]}] = true
			}
		}
	}
	for _, row := range archtest.Table {
		for _, to := range row.Imports {
			if to != "record" && to != "train" {
				assert.True(t, given[[2]string{row.Package, to}], "design.md gives no reason why %s imports %s", row.Package, to)
			}
			delete(given, [2]string{row.Package, to})
		}
	}
	assert.Empty(t, given, "design.md gives reasons for arrows that Table does not have")
}
