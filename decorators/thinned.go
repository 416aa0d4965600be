package decorators

// thinned is a series of bounded length: when it has most values, every other one
// is dropped, and from then on half as many are taken in, so that what is left is
// spread evenly. The last value is always there.
type thinned[T any] struct {
	most   int // at least 2
	kept   []T
	stride int // of every so many values one is kept
	seen   int
	last   T
}

func (s *thinned[T]) add(v T) {
	if s.stride = max(s.stride, 1); s.seen%s.stride == 0 {
		if len(s.kept) >= s.most {
			for i := range (len(s.kept) + 1) / 2 {
				s.kept[i] = s.kept[2*i]
			}
			s.kept = s.kept[:(len(s.kept)+1)/2]
			s.stride *= 2
		}
		if s.seen%s.stride == 0 {
			s.kept = append(s.kept, v)
		}
	}
	s.last = v
	s.seen++
}

// all are the values kept, and the last.
func (s *thinned[T]) all() []T {
	if s.seen > 0 && (s.seen-1)%s.stride != 0 {
		return append(s.kept[:len(s.kept):len(s.kept)], s.last)
	}
	return s.kept
}
