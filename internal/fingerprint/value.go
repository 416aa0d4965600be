package fingerprint

import (
	"crypto/sha256"
	"encoding/binary"
	"hash"
	"math"
	"reflect"
	"slices"
	"strings"
	"time"
)

// walker hashes what can be seen of a value at run time: numbers, texts, types,
// in structs, slices, maps and behind pointers and interfaces, exported or not.
// Functions are handed to function, which names them by their code.
type walker struct {
	h        hash.Hash
	visited  map[visit]int
	function func(pc uintptr) string
	typ      func(reflect.Type)
}

type visit struct {
	p uintptr
	t reflect.Type
	n int
}

// opaqueTypes hold the state of the machine or of the test, not of the result.
var opaqueTypes = []string{"sync", "sync/atomic", "testing", "os", "context", "net", "net/http", "log", "log/slog", "io", "bufio", "runtime", "reflect", "unsafe", "internal", "syscall"}

func opaque(t reflect.Type) bool {
	p := t.PkgPath()
	return slices.ContainsFunc(opaqueTypes, func(o string) bool { return p == o || strings.HasPrefix(p, o+"/") })
}

func (w *walker) number(n uint64) {
	var b [8]byte
	binary.LittleEndian.PutUint64(b[:], n)
	w.h.Write(b[:])
}

// value writes v, and its type where that is not known from the value around it.
func (w *walker) value(v reflect.Value) {
	if !v.IsValid() {
		w.number(0)
		return
	}
	t := v.Type()
	w.number(uint64(t.Kind()))
	if t.PkgPath() != "" {
		w.typ(t)
		if opaque(t) {
			return
		}
		if t == reflect.TypeFor[time.Time]() && v.CanInterface() {
			w.number(uint64(v.Interface().(time.Time).UnixNano()))
			return
		}
	}
	switch t.Kind() {
	case reflect.Bool:
		w.number(map[bool]uint64{true: 1}[v.Bool()])
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		w.number(uint64(v.Int()))
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64, reflect.Uintptr:
		w.number(v.Uint())
	case reflect.Float32, reflect.Float64:
		w.number(math.Float64bits(v.Float()))
	case reflect.Complex64, reflect.Complex128:
		w.number(math.Float64bits(real(v.Complex())))
		w.number(math.Float64bits(imag(v.Complex())))
	case reflect.String:
		writeString(w.h, v.String())
	default:
		w.compound(v)
	}
}

func (w *walker) compound(v reflect.Value) {
	t := v.Type()
	switch t.Kind() {
	case reflect.Struct:
		w.number(uint64(t.NumField()))
		for i := range t.NumField() {
			writeString(w.h, t.Field(i).Name)
			w.value(v.Field(i))
		}
	case reflect.Array:
		w.elements(v)
	case reflect.Slice:
		if v.IsNil() {
			w.number(0)
		} else if !w.again(visit{v.Pointer(), t, v.Len()}) {
			w.elements(v)
		}
	case reflect.Map:
		w.mapped(v)
	case reflect.Pointer:
		if v.IsNil() {
			w.number(0)
		} else if !w.again(visit{p: v.Pointer(), t: t}) {
			w.value(v.Elem())
		}
	case reflect.Interface:
		if v.IsNil() {
			w.number(0)
		} else {
			writeString(w.h, v.Elem().Type().String())
			w.value(v.Elem())
		}
	case reflect.Func:
		if v.IsNil() {
			w.number(0)
		} else {
			writeString(w.h, w.function(v.Pointer()))
		}
	}
}

// again writes which earlier visit this one repeats.
func (w *walker) again(v visit) bool {
	n, seen := w.visited[v]
	if !seen {
		n = len(w.visited) + 1
		w.visited[v] = n
		w.number(1)
		return false
	}
	w.number(2)
	w.number(uint64(n))
	return true
}

func (w *walker) elements(v reflect.Value) {
	w.number(uint64(v.Len()))
	for i := range v.Len() {
		w.value(v.Index(i))
	}
}

// mapped writes entries in the order of the hashes of their keys.
func (w *walker) mapped(v reflect.Value) {
	if v.IsNil() || w.again(visit{p: v.Pointer(), t: v.Type()}) {
		return
	}
	type entry struct {
		key   string
		value reflect.Value
	}
	var entries []entry
	for it := v.MapRange(); it.Next(); {
		one := walker{h: sha256.New(), visited: map[visit]int{}, function: w.function, typ: w.typ}
		one.value(it.Key())
		entries = append(entries, entry{sum(one.h), it.Value()})
	}
	slices.SortFunc(entries, func(a, b entry) int { return strings.Compare(a.key, b.key) })
	w.number(uint64(len(entries)))
	for _, e := range entries {
		writeString(w.h, e.key)
		w.value(e.value)
	}
}
