package tensorfile

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// npyDict is the header of a .npy file.
type npyDict struct {
	descr   string // type code with byte order, such as "<f4"; starts with '[' for a structured type
	fortran bool
	shape   []int
}

// parseNPYHeader reads the dict that numpy writes. It understands just the
// subset of Python that such headers use: string keys in any order, strings
// without escapes, True and False, and tuples of whole numbers (Python 2 wrote
// them with an L).
func parseNPYHeader(text string) (npyDict, error) {
	p := &pyParser{rest: text}
	var h npyDict
	seen := map[string]bool{}
	if err := p.expect("{"); err != nil {
		return h, err
	}
	for !p.accept("}") {
		key, err := p.str()
		if err != nil {
			return h, err
		}
		if seen[key] {
			return h, fmt.Errorf("key %q stands twice", key)
		}
		seen[key] = true
		if err := p.expect(":"); err != nil {
			return h, err
		}
		if err := h.set(p, key); err != nil {
			return h, fmt.Errorf("key %q: %w", key, err)
		}
		if !p.accept(",") {
			if err := p.expect("}"); err != nil {
				return h, err
			}
			break
		}
	}
	for _, key := range []string{"descr", "fortran_order", "shape"} {
		if !seen[key] {
			return h, fmt.Errorf("key %q is missing", key)
		}
	}
	if p.space(); p.rest != "" {
		return h, fmt.Errorf("unexpected %.20q after the dict", p.rest)
	}
	return h, nil
}

func (h *npyDict) set(p *pyParser, key string) (err error) {
	switch key {
	case "descr":
		if p.space(); strings.HasPrefix(p.rest, "[") {
			return errors.New("the array is structured (has fields): save each field on its own, np.save(f, a['field'])")
		}
		h.descr, err = p.str()
	case "fortran_order":
		switch {
		case p.accept("True"):
			h.fortran = true
		case p.accept("False"):
		default:
			err = fmt.Errorf("%.20q is neither True nor False", p.rest)
		}
	case "shape":
		h.shape, err = p.tuple()
	default:
		err = errors.New("not one of descr, fortran_order, shape")
	}
	return err
}

type pyParser struct{ rest string }

func (p *pyParser) space() { p.rest = strings.TrimLeft(p.rest, " \t\r\n") }

func (p *pyParser) accept(token string) bool {
	p.space()
	rest, ok := strings.CutPrefix(p.rest, token)
	if ok {
		p.rest = rest
	}
	return ok
}

func (p *pyParser) expect(token string) error {
	if !p.accept(token) {
		return fmt.Errorf("%q expected before %.20q", token, p.rest)
	}
	return nil
}

func (p *pyParser) str() (string, error) {
	for _, quote := range []string{"'", `"`} {
		if p.accept(quote) {
			text, rest, ok := strings.Cut(p.rest, quote)
			if !ok || strings.ContainsAny(text, "\\\n") {
				return "", fmt.Errorf("string %.20q does not end or has escapes", p.rest)
			}
			p.rest = rest
			return text, nil
		}
	}
	return "", fmt.Errorf("string expected before %.20q", p.rest)
}

func (p *pyParser) tuple() ([]int, error) {
	if err := p.expect("("); err != nil {
		return nil, err
	}
	var out []int
	for !p.accept(")") {
		if len(out) == maxDims {
			return nil, fmt.Errorf("more than %d dimensions", maxDims)
		}
		p.space()
		digits := p.rest[:len(p.rest)-len(strings.TrimLeft(p.rest, "0123456789"))]
		n, err := strconv.Atoi(digits)
		if err != nil {
			return nil, fmt.Errorf("dimension %d: %.25q is not a whole number that fits", len(out), p.rest)
		}
		out = append(out, n)
		p.rest = p.rest[len(digits):]
		p.accept("L")
		if !p.accept(",") {
			if err := p.expect(")"); err != nil {
				return nil, err
			}
			break
		}
	}
	return out, nil
}

// parseDescr returns the element type of a code such as "<f4" and whether its
// bytes are the other way round.
func parseDescr(descr string) (info dtypeInfo, swapped bool, err error) {
	if descr == "" {
		return info, false, errors.New("empty element type")
	}
	order, code := descr[:1], descr[1:]
	info, ok := findDType(func(i dtypeInfo) bool { return i.npy != "" && i.npy == code })
	if ok && (strings.Contains("<>", order) || order == "|" && info.size == 1) {
		return info, order == ">", nil
	}
	kind, remedy := "of an unknown kind", "np.ascontiguousarray(a).astype('<f4')"
	switch code[:min(1, len(code))] {
	case "O":
		kind = "of pickled Python objects, which could run code when read"
	case "U", "S", "a":
		kind, remedy = "of text", "np.unique(a, return_inverse=True)[1]"
	case "M", "m":
		kind, remedy = "of dates or times", "a.astype('<i8')"
	case "V":
		kind, remedy = "of raw or structured records", "each field on its own, a['field'], or a bfloat16 array as a.astype('<f4')"
	case "f", "c":
		kind = "of floats of a width that only some machines have"
	}
	return info, false, fmt.Errorf("element type %q is %s: save %s instead", descr, kind, remedy)
}
