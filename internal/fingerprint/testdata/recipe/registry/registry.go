package registry

// scales is written by init functions and by Set.
var scales = map[string]float64{"plain": 1}

// Scale of a name.
func Scale(name string) float64 { return scales[name] }

// Set is called by other packages.
func Set(name string, value float64) {
	scales[name] = value
}

func init() {
	scales["double"] = 2
}
