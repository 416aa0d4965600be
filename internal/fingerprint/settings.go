package fingerprint

import "strconv"

// Settings are the step's name and its settings.
func Settings(step string, settings map[string]string) []Ingredient {
	all := []Ingredient{{Name: "step", Digest: digest(step), Shown: step}}
	for name, value := range settings {
		all = append(all, Ingredient{Name: "setting " + name, Digest: digest(value), Shown: value})
	}
	return all
}

// Seed is the seed of everything random.
func Seed(seed uint64) Ingredient {
	s := strconv.FormatUint(seed, 10)
	return Ingredient{Name: "seed", Digest: digest(s), Shown: s}
}

// Upstream is a step whose result this one builds on, with the Sum of its print.
func Upstream(step, sum string) Ingredient {
	return Ingredient{Name: "needed step " + step, Digest: sum, Shown: "fingerprint " + sum[:min(12, len(sum))]}
}
