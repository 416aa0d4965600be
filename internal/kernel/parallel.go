package kernel

import (
	"runtime"
	"sync"
	"sync/atomic"
)

// maxSlots bounds the goroutines one call can use, whatever GOMAXPROCS says.
const maxSlots = 64

// Parallel calls fn on disjoint ranges [lo, hi) that together cover [0, n).
// Range borders are multiples of grain (at least 1), except for n itself. Calls
// may run at the same time on several goroutines of a process-wide pool, the
// caller's among them. At most GOMAXPROCS goroutines are at work in all calls
// together; a caller that finds none free does all the work itself, so fn must
// give the same result however the range is cut. Parallel returns when all
// calls have returned. If a call panics, Parallel panics with the same value on
// the caller's goroutine, after the other calls have ended.
func Parallel(n, grain int, fn func(lo, hi int)) {
	if n <= 0 {
		return
	}
	if n <= grain || runtime.GOMAXPROCS(0) == 1 {
		fn(0, n)
		return
	}
	forEach(n, grain, func(_, lo, hi int) { fn(lo, hi) })
}

// forEach is Parallel with a slot number: calls that run at the same time have
// different slots in [0, maxSlots), which index per-slot scratch memory.
func forEach(n, grain int, fn func(slot, lo, hi int)) {
	if n <= 0 {
		return
	}
	grain = max(grain, 1)
	chunks := (n + grain - 1) / grain
	if chunks == 1 {
		fn(0, 0, n)
		return
	}
	var team [maxSlots]*helper
	helpers := pool.acquire(team[:], chunks-1)
	if helpers == 0 {
		fn(0, 0, n)
		return
	}
	j := jobs.Get().(*job)
	j.start(n, grain, helpers+1, fn)
	for i, h := range team[:helpers] {
		h.post(j, i+1)
	}
	j.work(0)
	joined := int32(0)
	for _, h := range team[:helpers] {
		if !h.mail.CompareAndSwap(j, nil) {
			joined++ // it took the job; otherwise it never will
		}
	}
	j.wait(joined)
	pool.release(team[:helpers])
	failure := j.failure.Load()
	j.fn = nil
	jobs.Put(j)
	if failure != nil {
		panic(failure.value)
	}
}

// job is one call of forEach, cut into chunks. Each goroutine has a share of
// neighbouring chunks, the same part of the range whatever is computed, so that
// what one operator leaves in a core's cache is there when the next one reads
// it. Who is done with its own share takes chunks of the others.
type job struct {
	fn      func(slot, lo, hi int)
	grain   int
	workers int
	shares  [maxSlots]share
	left    atomic.Int32 // helpers that have finished
	blocked atomic.Bool  // the caller waits on done
	done    chan struct{}
	failure atomic.Pointer[failure]
}

// share is a part of the range, on a cache line of its own.
type share struct {
	next atomic.Int64 // first index nobody has taken yet
	end  int
	_    [48]byte
}

type failure struct{ value any }

var jobs = sync.Pool{New: func() any { return &job{done: make(chan struct{}, 1)} }}

func (j *job) start(n, grain, workers int, fn func(slot, lo, hi int)) {
	j.fn, j.grain, j.workers = fn, grain, workers
	chunks := (n + grain - 1) / grain
	for w := range workers {
		j.shares[w].next.Store(int64(w * chunks / workers * grain))
		j.shares[w].end = min((w+1)*chunks/workers*grain, n)
	}
	j.left.Store(0)
	j.blocked.Store(false)
	j.failure.Store(nil)
}

// work takes chunks until none is left. A panic ends the whole job.
func (j *job) work(slot int) {
	defer func() {
		if v := recover(); v != nil {
			j.failure.CompareAndSwap(nil, &failure{v})
			for w := range j.workers {
				j.shares[w].next.Store(int64(j.shares[w].end))
			}
		}
	}()
	for i := range j.workers {
		s := &j.shares[(slot+i)%j.workers]
		for {
			hi := int(s.next.Add(int64(j.grain)))
			lo := hi - j.grain
			if lo >= s.end {
				break
			}
			j.fn(slot, lo, min(hi, s.end))
		}
	}
}

// wait returns when joined helpers have finished: first spinning, for chunks
// are short, then asleep.
func (j *job) wait(joined int32) {
	for range spinRounds {
		for range spinLoads {
			if j.left.Load() == joined {
				return
			}
		}
		runtime.Gosched()
	}
	j.blocked.Store(true)
	for j.left.Load() != joined {
		<-j.done // may be a late signal of an earlier job: hence the loop
	}
}

// A waiting goroutine polls spinLoads times, yields, and does so spinRounds
// times before it sleeps: about 60 µs, more than the gap between two iterations of a recipe,
// and about what it takes to wake a sleeping thread.
const (
	spinRounds = 240
	spinLoads  = 300
)

// helper is one goroutine of the pool. It takes jobs from mail.
type helper struct {
	mail   atomic.Pointer[job]
	slot   int // in the job in mail
	asleep atomic.Bool
	wake   chan struct{}
}

func (h *helper) post(j *job, slot int) {
	h.slot = slot
	h.mail.Store(j)
	if h.asleep.Load() {
		select {
		case h.wake <- struct{}{}:
		default:
		}
	}
}

func (h *helper) loop() {
	for {
		j := h.receive()
		if !h.mail.CompareAndSwap(j, nil) {
			continue // the caller finished without us
		}
		j.work(h.slot)
		j.left.Add(1)
		if j.blocked.Load() {
			select {
			case j.done <- struct{}{}:
			default:
			}
		}
	}
}

func (h *helper) receive() *job {
	for {
		for range spinRounds {
			for range spinLoads {
				if j := h.mail.Load(); j != nil {
					return j
				}
			}
			runtime.Gosched()
		}
		h.asleep.Store(true)
		if h.mail.Load() == nil {
			<-h.wake
		}
		h.asleep.Store(false)
	}
}

// teams keeps the helpers of the process and counts who is at work.
type teams struct {
	mu   sync.Mutex
	busy int // callers inside forEach that have helpers, and those helpers
	idle []*helper
}

var pool teams

// acquire fills team with up to want free helpers and returns their number. A
// caller with helpers counts as busy itself.
func (p *teams) acquire(team []*helper, want int) int {
	procs := min(runtime.GOMAXPROCS(0), maxSlots)
	p.mu.Lock()
	defer p.mu.Unlock()
	k := min(want, procs-1-p.busy)
	if k <= 0 {
		return 0
	}
	old := p.idle[max(0, len(p.idle)-k):] // in the order of the last call, so that slots stay on their cores
	p.idle = p.idle[:len(p.idle)-len(old)]
	copy(team, old)
	for i := len(old); i < k; i++ {
		team[i] = &helper{wake: make(chan struct{}, 1)}
		go team[i].loop()
	}
	p.busy += k + 1
	return k
}

func (p *teams) release(team []*helper) {
	p.mu.Lock()
	p.idle = append(p.idle, team...)
	p.busy -= len(team) + 1
	p.mu.Unlock()
}
