package tensorfile

import (
	"encoding/binary"
	"fmt"
	"math"
)

// Float32 returns the elements as float32, in C order:
//
//   - float32: the same bits.
//   - bool (0 or 1), int8, int16, uint8, uint16, float16, bfloat16: exact; a NaN
//     stays a NaN and keeps the upper bits of its payload.
//   - int32, int64, uint32, uint64: exact up to 2^24 = 16,777,216 in magnitude,
//     beyond that rounded to the nearest float32, ties to even.
//   - float64: rounded to the nearest float32, ties to even; below 2^-149 in
//     magnitude that may be zero. A finite value that would become infinite
//     (about 3.4e38) is an error that names its index.
//   - complex types: an error.
func (a Array) Float32() ([]float32, error) {
	if err := a.check(); err != nil {
		return nil, err
	}
	size := a.DType.Size()
	convert := float32Of(a.DType)
	if convert == nil {
		return nil, fmt.Errorf("array %q: %s has no float32 value: take np.real(a) or np.abs(a) before saving", a.Name, a.DType)
	}
	out := make([]float32, a.Len())
	for i := range out {
		out[i] = convert(a.Data[i*size:])
		if a.DType == Float64 && math.IsInf(float64(out[i]), 0) {
			v := math.Float64frombits(binary.LittleEndian.Uint64(a.Data[i*size:]))
			if !math.IsInf(v, 0) {
				return nil, fmt.Errorf("array %q: element %d is %g, beyond float32: read it with Values[float64] or scale it", a.Name, i, v)
			}
		}
	}
	return out, nil
}

// float32Of returns the conversion of one element at the start of b, nil if the
// type has none.
func float32Of(d DType) func(b []byte) float32 {
	le := binary.LittleEndian
	switch d {
	case Bool:
		return func(b []byte) float32 {
			if b[0] == 0 {
				return 0
			}
			return 1
		}
	case Int8:
		return func(b []byte) float32 { return float32(int8(b[0])) }
	case Int16:
		return func(b []byte) float32 { return float32(int16(le.Uint16(b))) }
	case Int32:
		return func(b []byte) float32 { return float32(int32(le.Uint32(b))) }
	case Int64:
		return func(b []byte) float32 { return float32(int64(le.Uint64(b))) }
	case Uint8:
		return func(b []byte) float32 { return float32(b[0]) }
	case Uint16:
		return func(b []byte) float32 { return float32(le.Uint16(b)) }
	case Uint32:
		return func(b []byte) float32 { return float32(le.Uint32(b)) }
	case Uint64:
		return func(b []byte) float32 { return float32(le.Uint64(b)) }
	case Float16:
		return func(b []byte) float32 { return halfToFloat(le.Uint16(b)) }
	case BFloat16:
		return func(b []byte) float32 { return math.Float32frombits(uint32(le.Uint16(b)) << 16) }
	case Float32:
		return func(b []byte) float32 { return math.Float32frombits(le.Uint32(b)) }
	case Float64:
		return func(b []byte) float32 { return float32(math.Float64frombits(le.Uint64(b))) }
	}
	return nil
}

// halfToFloat widens an IEEE 754 binary16 (1 sign, 5 exponent, 10 fraction
// bits), which is always exact.
func halfToFloat(h uint16) float32 {
	sign := uint32(h>>15) << 31
	exponent := uint32(h >> 10 & 0x1f)
	fraction := uint32(h & 0x3ff)
	switch exponent {
	case 0x1f: // infinity or NaN
		return math.Float32frombits(sign | 0xff<<23 | fraction<<13)
	case 0: // zero or denormal: fraction·2^-24
		v := float32(fraction) * 0x1p-24
		return math.Float32frombits(math.Float32bits(v) | sign)
	}
	return math.Float32frombits(sign | (exponent+127-15)<<23 | fraction<<13)
}
