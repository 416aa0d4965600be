package recipes

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"image"
	"image/png"
	"io"
	"testing"

	"github.com/actually-robust-training/art/arttest"
)

// npy is a small array file: 2 by 3 float32.
func npy(w io.Writer) error {
	header := "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }"
	header += string(bytes.Repeat([]byte(" "), 117-len(header))) + "\n"
	fmt.Fprintf(w, "\x93NUMPY\x01\x00%c%c%s", len(header), 0, header)
	return binary.Write(w, binary.LittleEndian, []float32{1, 2, 3, 4, 5, 6})
}

func TestArtifacts(t *testing.T) {
	r := arttest.New(t, plain())
	arttest.Step(r, does("saves", func(_ context.Context, s *arttest.Scope) error {
		s.Logf("before the files")
		s.Score("training", "accuracy", 0.5)
		s.Score("", "lonely", 0.5) // of no stage: recorded, not attached
		return errors.Join(
			s.Save("tensor.npy", npy),
			s.Save("deep/er/picture.png", func(w io.Writer) error { return png.Encode(w, image.NewGray(image.Rect(0, 0, 7, 5))) }),
			s.Save("plot.svg", write("<svg/>")),
			s.Save("weights.safetensors", write("first")),
			s.Save("weights.safetensors", write("second")),
			s.Save("notes.txt", write("")),
		)
	}), holds("good"))
	arttest.Step(r, passes("saves-nothing"))
	arttest.Step(r, does("half", func(_ context.Context, s *arttest.Scope) error {
		if err := s.Save("kept.txt", write("old")); err != nil {
			return err
		}
		return s.Save("kept.txt", func(w io.Writer) error { // fails half way: the old one stays
			_, err := io.WriteString(w, "ne")
			return errors.Join(err, errPlanted)
		})
	}))
	arttest.Step(r, passes("skipped"))
}

func TestArtifactNames(t *testing.T) {
	arttest.Step(arttest.New(t, plain()), does("it", func(_ context.Context, s *arttest.Scope) error {
		for _, name := range []string{"", ".", "..", "../x.txt", "/x.txt", "a/../x.txt", "./x.txt", "x", "x.", ".txt", "a/", "a//x.txt",
			"art.json", `a\x.txt`, "x\n.txt", "x\x00.txt"} {
			if err := s.Save(name, write("x")); err == nil {
				return fmt.Errorf("%q was taken", name)
			}
		}
		return s.Save("a/b.c/x.tar.gz", write("x"))
	}))
}
