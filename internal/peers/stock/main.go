// Stock is gorgonia's side of the comparison that internal/peers makes: networks
// of its own operators, as its examples write them, trained when asked. It is a
// module of its own, so that it runs gorgonia as released.
//
// Requests come as JSON lines on standard input, replies go to file descriptor 3;
// worker.go in internal/peers has the fields.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"log"
	"os"
	"runtime"
	"slices"
	"time"
)

type row struct {
	Name, Kind    string
	Shape, Widths []int
	Rows, Classes int
}

type request struct {
	Op             string
	Row            row
	Folder         string
	WarmUp, Window float64
	Iterations     int
}

type reply struct {
	Error        string            `json:",omitempty"`
	Milliseconds float64           `json:",omitempty"`
	Losses       []float64         `json:",omitempty"`
	Versions     map[string]string `json:",omitempty"`
}

func main() {
	out := os.NewFile(3, "replies")
	for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
		var r request
		if err := json.Unmarshal(lines.Bytes(), &r); err != nil {
			log.Fatal(err)
		}
		a, err := r.guarded()
		if err != nil {
			a = reply{Error: err.Error()}
		}
		runtime.GC()
		if err := json.NewEncoder(out).Encode(a); err != nil {
			log.Fatal(err)
		}
	}
}

// guarded turns the panics of gorgonia into errors.
func (r request) guarded() (a reply, err error) {
	defer func() {
		if v := recover(); v != nil {
			err = fmt.Errorf("panic: %v", v)
		}
	}()
	return r.answer()
}

func (r request) answer() (reply, error) {
	if r.Op == "about" {
		return reply{Versions: map[string]string{"gorgonia": gorgoniaVersion()}}, nil
	}
	n, err := newNetwork(r.Row, r.Folder)
	if err != nil {
		return reply{}, err
	}
	defer n.close()
	switch r.Op {
	case "losses":
		var a reply
		for range r.Iterations {
			loss, err := n.iterate()
			if err != nil {
				return reply{}, err
			}
			a.Losses = append(a.Losses, loss)
		}
		return a, nil
	case "measure":
		ms, err := measure(n.iterate, seconds(r.WarmUp), seconds(r.Window))
		return reply{Milliseconds: ms}, err
	}
	return reply{}, fmt.Errorf("unknown request %q", r.Op)
}

func seconds(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }

// measure gives the median over blocks of iterations, in milliseconds each.
func measure(iterate func() (float64, error), warmUp, window time.Duration) (float64, error) {
	done := 0
	begin := time.Now()
	for ; done < 3 || time.Since(begin) < warmUp; done++ {
		if _, err := iterate(); err != nil {
			return 0, err
		}
	}
	each := time.Since(begin) / time.Duration(done)
	size := max(1, int(window/20/max(each, 1)))
	var blocks []float64
	for begin = time.Now(); len(blocks) < 5 || time.Since(begin) < window; {
		mark := time.Now()
		for range size {
			if _, err := iterate(); err != nil {
				return 0, err
			}
		}
		blocks = append(blocks, time.Since(mark).Seconds()*1e3/float64(size))
	}
	slices.Sort(blocks)
	return blocks[len(blocks)/2], nil
}
