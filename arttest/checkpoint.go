package arttest

import (
	"bytes"
	"encoding"
	"encoding/gob"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"

	"github.com/actually-robust-training/art/internal/tensorfile"
	"github.com/actually-robust-training/art/train"
)

// checkpoint says where a loop was, and how to go on. It is the metadata "art" of a
// safetensors file, whose tensors are the parameters ("param/NAME"), the state of
// the learner ("state/NAME") and what callbacks remember ("memory/0", bytes).
type checkpoint struct {
	Run, Sum string // the run that kept it, and the fingerprint of the step
	From, To int    // which of the step's events in that run are the loop's, so far
	// Iteration is how many are done. Total may be 0 for not known.
	Iteration, Epoch, Total int
	// Done says that the loop has ended, with Result.
	Done   bool
	Result train.Result
}

// metadata is the checkpoint as text. The loss may be no number, which JSON has not.
func (c checkpoint) metadata() (map[string]string, error) {
	loss := fmt.Sprint(c.Result.Loss)
	c.Result.Loss = 0
	text, err := json.Marshal(c)
	return map[string]string{"art": string(text), "loss": loss}, err
}

func (c checkpoint) write(file string, l train.Learner, s train.Stater, memory []any) error {
	var all []tensorfile.Array
	add := func(a tensorfile.Array, err error) error { all = append(all, a); return err }
	for _, p := range l.Params() {
		if err := add(tensorfile.New("param/"+p.Name, p.Shape, p.Value)); err != nil {
			return err
		}
	}
	for _, n := range s.State() {
		if err := add(tensorfile.New("state/"+n.Name, n.Shape, n.Data)); err != nil {
			return err
		}
	}
	for i, m := range memory {
		var b bytes.Buffer
		if err := gob.NewEncoder(&b).Encode(m); err != nil {
			return err
		}
		if err := add(tensorfile.New(fmt.Sprintf("memory/%d", i), []int{b.Len()}, b.Bytes())); err != nil {
			return err
		}
	}
	metadata, err := c.metadata()
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		return err
	}
	_, err = writeFile(file, func(w io.Writer) error { return tensorfile.WriteSafetensors(w, all, metadata) })
	return err
}

// parts are the tensors of a checkpoint by name.
type parts map[string]tensorfile.Array

func readCheckpoint(file string) (c checkpoint, p parts, err error) {
	f, err := os.Open(file)
	if err != nil {
		return c, nil, err
	}
	defer func() { _ = f.Close() }()
	stat, err := f.Stat()
	if err != nil {
		return c, nil, err
	}
	all, metadata, err := tensorfile.ReadSafetensors(f, stat.Size())
	if err != nil {
		return c, nil, err
	}
	if err := json.Unmarshal([]byte(metadata["art"]), &c); err != nil {
		return c, nil, err
	}
	if _, err := fmt.Sscan(metadata["loss"], &c.Result.Loss); err != nil {
		return c, nil, err
	}
	p = parts{}
	for _, a := range all {
		p[a.Name] = a
	}
	return c, p, nil
}

// restore puts everything back, or nothing.
func (p parts) restore(l train.Learner, s train.Stater, memory []any) error {
	params := l.Params()
	values := make([][]float32, len(params))
	for i, q := range params {
		a, ok := p["param/"+q.Name]
		v, err := tensorfile.Values[float32](a)
		if !ok || err != nil || !slices.Equal(a.Shape, q.Shape) {
			return fmt.Errorf("parameter %q is missing or another", q.Name)
		}
		values[i] = v
	}
	remembered := make([]reflect.Value, len(memory))
	for i, m := range memory {
		raw, err := tensorfile.Values[uint8](p[fmt.Sprintf("memory/%d", i)])
		if err != nil {
			return err
		}
		if remembered[i], err = recall(m, raw); err != nil {
			return err
		}
	}
	var state []train.Named
	for name, a := range p {
		short, ok := strings.CutPrefix(name, "state/")
		if !ok {
			continue
		}
		v, err := tensorfile.Values[float32](a)
		if err != nil {
			return err
		}
		state = append(state, train.Named{Name: short, Tensor: train.Tensor{Shape: a.Shape, Data: v}})
	}
	slices.SortFunc(state, func(a, b train.Named) int { return strings.Compare(a.Name, b.Name) })
	if err := s.SetState(state); err != nil {
		return err
	}
	for i, q := range params {
		copy(q.Value, values[i])
	}
	for i, m := range memory {
		reflect.ValueOf(m).Elem().Set(remembered[i])
	}
	return nil
}

// recall decodes what a pointer pointed to. A type that decodes itself may keep
// what it does not write, so it starts from the value that is there.
func recall(pointer any, raw []byte) (reflect.Value, error) {
	v := reflect.ValueOf(pointer)
	if v.Kind() != reflect.Pointer || v.IsNil() {
		return v, errors.New("memory is handed in as pointers")
	}
	fresh := reflect.New(v.Type().Elem())
	if _, own := pointer.(encoding.BinaryUnmarshaler); own {
		fresh.Elem().Set(v.Elem())
	}
	err := gob.NewDecoder(bytes.NewReader(raw)).DecodeValue(fresh)
	return fresh.Elem(), err
}
