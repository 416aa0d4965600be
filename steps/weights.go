package steps

import (
	"fmt"
	"slices"
	"strings"

	"github.com/actually-robust-training/art/train"
)

// copyParams keeps the values of all parameters.
func copyParams(l train.Learner) map[string][]float32 {
	kept := map[string][]float32{}
	for _, p := range l.Params() {
		kept[p.Name] = slices.Clone(p.Value)
	}
	return kept
}

// restore puts kept values back.
func restore(l train.Learner, kept map[string][]float32) {
	for _, p := range l.Params() {
		copy(p.Value, kept[p.Name])
	}
}

// moved names the parameters whose bits differ from what was kept.
func moved(kept map[string][]float32, l train.Learner) []string {
	var names []string
	for _, p := range l.Params() {
		if !slices.EqualFunc(kept[p.Name], p.Value, sameBits) {
			names = append(names, p.Name)
		}
	}
	return names
}

// list writes names with commas, and counts the rest of a long list.
func list(names []string) string {
	const most = 6
	if len(names) <= most {
		return strings.Join(names, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(names[:most], ", "), len(names)-most)
}
