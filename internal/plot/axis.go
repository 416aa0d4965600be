package plot

import (
	"math"
	"strconv"
	"strings"
)

// limit bounds the magnitude of what is drawn, so that spans and steps of an
// axis stay finite; 1/limit is the least a logarithmic axis shows.
const limit = 1e300

func drawable(v float64, log bool) bool {
	if log {
		return v >= 1/limit && v <= limit
	}
	return math.Abs(v) <= limit // false for NaN
}

type tick struct {
	value float64
	label string // empty for a grid line alone
}

// axis maps values to a fraction of its length.
type axis struct {
	lo, hi float64 // lo < hi
	log    bool
	ticks  []tick
}

// at returns where v lies, 0 at lo, 1 at hi.
func (a axis) at(v float64) float64 {
	if a.log {
		lo := math.Log10(a.lo) // no quotients: they overflow
		return (math.Log10(v) - lo) / (math.Log10(a.hi) - lo)
	}
	return (v - a.lo) / (a.hi - a.lo)
}

// span is the range of the values to be drawn; the zero value holds none.
type span struct {
	lo, hi float64
	any    bool
	whole  bool // all values are whole numbers
}

func (s *span) add(v float64) {
	whole := v == math.Trunc(v)
	if !s.any {
		*s = span{v, v, true, whole}
		return
	}
	s.lo, s.hi, s.whole = min(s.lo, v), max(s.hi, v), s.whole && whole
}

// linearAxis shows s with about n ticks; margin is the fraction of the span left
// free at either end. A constant stands in the middle.
func linearAxis(s span, n int, margin float64) axis {
	if !s.any {
		s = span{0, 1, true, false}
	}
	lo, hi := s.lo, s.hi
	size := max(math.Abs(lo), math.Abs(hi))
	if pad := margin * (hi - lo); hi-lo <= size*1e-9 || hi-lo < 1/limit {
		pad = size / 2
		if s.whole && size < 1e6 || size < 1/limit {
			pad = 1
		}
		lo, hi = lo-pad, hi+pad
	} else {
		if lo >= 0 && lo < pad {
			lo = 0 // no negative numbers on the axis of a loss near zero
		} else {
			lo -= pad
		}
		hi += pad
	}
	step := niceStep((hi-lo)/float64(max(n, 1)), s.whole)
	a := axis{lo: lo, hi: hi}
	for i := math.Ceil(lo / step); i*step <= hi && len(a.ticks) < 100; i++ {
		a.ticks = append(a.ticks, tick{value: i * step})
	}
	label(a.ticks, step)
	return a
}

// niceStep returns the least 1, 2 or 5 times a power of ten that is at least
// step, at least 1 if the values are whole.
func niceStep(step float64, whole bool) float64 {
	if whole {
		step = max(step, 1)
	}
	exponent := math.Floor(math.Log10(step))
	unit := math.Pow(10, exponent)
	for _, m := range []float64{1, 2, 5} {
		if m*unit >= step*(1-1e-9) {
			return m * unit
		}
	}
	return 10 * unit
}

// label writes the ticks of one axis with the same number of decimals.
func label(ticks []tick, step float64) {
	var size float64
	for _, t := range ticks {
		size = max(size, math.Abs(t.value))
	}
	decimals := max(0, int(-math.Floor(math.Log10(step)+1e-9)))
	for i, t := range ticks {
		switch {
		case t.value == 0:
			ticks[i].label = "0"
		case size < 1e6 && decimals <= 5:
			ticks[i].label = strconv.FormatFloat(t.value, 'f', decimals, 64)
		default:
			digits := max(0, int(math.Floor(math.Log10(math.Abs(t.value))+1e-9))+decimalsOf(step))
			ticks[i].label = exponential(t.value, digits)
		}
	}
}

// decimalsOf returns minus the exponent of ten of step.
func decimalsOf(step float64) int { return -int(math.Floor(math.Log10(step) + 1e-9)) }

// exponential writes 2.5e6 or 1e-7: no plus, no leading zeros, at most digits
// decimals.
func exponential(v float64, digits int) string {
	s := strconv.FormatFloat(v, 'e', min(digits, 9), 64)
	mantissa, exponent, _ := strings.Cut(s, "e")
	if strings.Contains(mantissa, ".") {
		mantissa = strings.TrimRight(strings.TrimRight(mantissa, "0"), ".")
	}
	n, _ := strconv.Atoi(exponent)
	return mantissa + "e" + strconv.Itoa(n)
}

// logAxis shows s, which is above zero, with at most about n labelled ticks.
func logAxis(s span, n int) axis {
	if !s.any {
		s = span{0.1, 10, true, false}
	}
	lo, hi := math.Log10(s.lo), math.Log10(s.hi)
	pad := min(max(0.04*(hi-lo), 0.05), 4) // decades; 4 beyond limit is still a number
	if hi-lo < 1e-3 {
		pad = 0.5
	}
	lo, hi = lo-pad, hi+pad
	a := axis{lo: math.Pow(10, lo), hi: math.Pow(10, hi), log: true}
	every := max(1, int(math.Ceil((hi-lo)/float64(max(n, 1)))))
	labelled := 0
	for e := int(math.Floor(lo)); e <= int(math.Ceil(hi)); e++ {
		for m := 1.0; m < 10; m++ {
			v := m * math.Pow(10, float64(e))
			if v < a.lo || v > a.hi {
				continue
			}
			major := m == 1 && e%every == 0
			minor := hi-lo < 1.5 && (m == 2 || m == 5)
			switch {
			case major || minor:
				a.ticks = append(a.ticks, tick{v, decimal(v)})
				labelled++
			case every == 1 && hi-lo < 4:
				a.ticks = append(a.ticks, tick{value: v})
			}
		}
	}
	if labelled < 2 { // less than a decade: equal steps read better
		flat := linearAxis(span{a.lo, a.hi, true, false}, n, 0)
		a.ticks = flat.ticks
	}
	return a
}

// decimal writes a tick of a logarithmic axis or a value: 0.001 to 1000000
// plain, exponential beyond, at most four significant digits.
func decimal(v float64) string {
	if size := math.Abs(v); size != 0 && (size < 1e-3*(1-1e-9) || size >= 1e6) {
		return exponential(v, 3)
	}
	if math.Abs(v) >= 1e4 { // where %g would turn to exponents
		return strconv.FormatFloat(v, 'f', 0, 64)
	}
	return strconv.FormatFloat(v, 'g', 4, 64)
}
