package train

import "math/rand/v2"

// Derive makes the seed of a part from the seed of the whole and the name of
// the part. Different names give independent seeds; equal arguments give equal
// seeds on every machine. (FNV-1a over seed and names, each name closed by a
// zero byte, then the finalizer of SplitMix64.)
func Derive(seed uint64, names ...string) uint64 {
	const prime = 1099511628211
	h := uint64(14695981039346656037)
	for i := range 8 {
		h = (h ^ (seed >> (8 * i) & 0xff)) * prime
	}
	for _, name := range names {
		for i := range len(name) {
			h = (h ^ uint64(name[i])) * prime
		}
		h *= prime // a zero byte: "ab","c" differs from "a","bc"
	}
	return Mix(h)
}

// DeriveN is Derive for parts that are counted: epochs, iterations, trials.
func DeriveN(seed uint64, name string, n int) uint64 {
	return Mix(Derive(seed, name) + uint64(n)*0x9e3779b97f4a7c15)
}

// Mix is the finalizer of SplitMix64 (Steele, Lea, Flood 2014): a bijection in
// which every bit of the result depends on every bit of x.
func Mix(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9
	x = (x ^ (x >> 27)) * 0x94d049bb133111eb
	return x ^ (x >> 31)
}

// Rand returns a generator for the named part of a seed.
func Rand(seed uint64, names ...string) *rand.Rand {
	s := Derive(seed, names...)
	return rand.New(rand.NewPCG(s, Mix(s)))
}
