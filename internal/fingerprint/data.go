package fingerprint

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"hash"
	"math"
	"strconv"
	"strings"

	"github.com/actually-robust-training/art/train"
)

// walkRows is the size of the batches in which data is read to be hashed. It is
// the same whatever the batch size of training, which is an ingredient of its own.
const walkRows = 1024

// Data is the content of the data: its Digest, or else every number of every
// stage, read in stored order and without augmentation; the names of classes
// and features; and the size of a batch. The name of the data set is left out.
//
// The label names the data among several: "data" for that of the recipe.
//
// What a source does with Shuffle, Augment and Epoch is code, see [Reader].
// Reading costs one pass over the data and is never cached, for a stale digest
// would be a lie.
func Data(ctx context.Context, label string, d train.Data, seed uint64) ([]Ingredient, error) {
	all := []Ingredient{
		plain(label+" batch size", strconv.Itoa(d.BatchSize)),
		list(label+" classes", d.Classes),
		list(label+" features", d.Features),
		plain(label+" tokens", strconv.Itoa(d.Tokens)),
	}
	if d.Digest != "" {
		stages := strings.Join(d.Stages(), ", ") // one digest may stand for a set of which a stage is left out
		return append(all, Ingredient{Name: label + " content", Digest: digest(d.Digest, stages), Shown: fmt.Sprintf("%s: %s", d.Name, stages)}), nil
	}
	for _, stage := range d.Stages() {
		src, err := d.Stage(stage)
		if err != nil {
			return nil, err
		}
		h := sha256.New()
		rows, err := hashSource(ctx, h, src, train.Pass{Seed: seed, BatchSize: walkRows})
		if err != nil {
			return nil, fmt.Errorf("fingerprint of the %s data of %q: %w", stage, d.Name, err)
		}
		all = append(all, Ingredient{Name: label + " " + stage, Digest: sum(h), Shown: fmt.Sprintf("%s, %d rows", d.Name, rows)})
	}
	return all, nil
}

func plain(name, value string) Ingredient {
	return Ingredient{Name: name, Digest: digest(value), Shown: value}
}

func list(name string, values []string) Ingredient {
	shown := strings.Join(values[:min(8, len(values))], ", ")
	if len(values) > 8 {
		shown += fmt.Sprintf(" and %d more", len(values)-8)
	}
	return Ingredient{Name: name, Digest: digest(values...), Shown: "[" + shown + "]"}
}

func hashSource(ctx context.Context, h hash.Hash, src train.Source, p train.Pass) (rows int, err error) {
	buf := make([]byte, 0, 1<<16)
	for b, err := range src(p) {
		if err == nil {
			err = context.Cause(ctx)
		}
		if err != nil {
			return rows, err
		}
		buf = hashTensor(h, buf, b.Inputs)
		buf = hashTensor(h, buf, b.Targets)
		buf = hashInts(h, buf, b.Rows)
		rows += b.Len()
	}
	return rows, nil
}

// hashTensor writes shape and bits, so that NaN equals itself and 0 is not -0.
func hashTensor(h hash.Hash, buf []byte, t train.Tensor) []byte {
	buf = hashInts(h, buf, t.Shape)
	return hashFloats(h, buf, t.Data)
}

func hashInts(h hash.Hash, buf []byte, values []int) []byte {
	buf = binary.LittleEndian.AppendUint64(buf[:0], uint64(len(values)))
	for _, n := range values {
		buf = binary.LittleEndian.AppendUint64(buf, uint64(n))
	}
	h.Write(buf)
	return buf
}

func hashFloats(h hash.Hash, buf []byte, values []float32) []byte {
	buf = binary.LittleEndian.AppendUint64(buf[:0], uint64(len(values)))
	for _, v := range values {
		if len(buf)+4 > cap(buf) {
			h.Write(buf)
			buf = buf[:0]
		}
		buf = binary.LittleEndian.AppendUint32(buf, math.Float32bits(v))
	}
	h.Write(buf)
	return buf
}
