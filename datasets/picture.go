package datasets

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"image"
	"image/gif"
	"image/jpeg"
	"image/png"
	"io"
)

// picture is a file format. Formats are not taken from the registry of package
// image, which holds whatever the program happens to import.
type picture struct {
	magic   string
	decode  func(io.Reader) (image.Image, error)
	measure func(io.Reader) (image.Config, error)
}

func pictureFormats() []picture {
	return []picture{
		{"\x89PNG\r\n\x1a\n", png.Decode, png.DecodeConfig},
		{"\xff\xd8", jpeg.Decode, jpeg.DecodeConfig},
		{"GIF8", gif.Decode, gif.DecodeConfig},
	}
}

// formatOf looks at the first bytes of a file, whatever its name says.
func formatOf(r *bufio.Reader) (picture, error) {
	for _, p := range pictureFormats() {
		if start, _ := r.Peek(len(p.magic)); string(start) == p.magic {
			return p, nil
		}
	}
	return picture{}, errors.New("the content is no png, jpeg or gif, whatever its name says: convert it or delete it")
}

// measurePicture reads the size of a picture in a file of so many bytes. A
// decoder allocates by the size that the header claims, so one that cannot be
// true is refused: deflate packs at most 1032 to 1, and a png holds up to 8
// pixels a byte.
func measurePicture(r io.Reader, bytes int64) (image.Config, error) {
	buffered := bufio.NewReader(r)
	format, err := formatOf(buffered)
	if err != nil {
		return image.Config{}, err
	}
	c, err := format.measure(buffered)
	if err != nil {
		return image.Config{}, damaged(err)
	}
	const packed, most = 8 * 1032, 1 << 26
	if c.Width <= 0 || c.Height <= 0 {
		return image.Config{}, fmt.Errorf("the picture is %d wide and %d high", c.Width, c.Height)
	}
	if c.Width > most/c.Height || int64(c.Width*c.Height) > packed*bytes {
		return image.Config{}, fmt.Errorf("the picture claims to be %d wide and %d high, more than %d pixels or than its %d bytes can hold: make it smaller or delete it",
			c.Width, c.Height, most, bytes)
	}
	return c, nil
}

func decodePicture(content []byte) (image.Image, error) {
	if _, err := measurePicture(bytes.NewReader(content), int64(len(content))); err != nil {
		return nil, err
	}
	r := bufio.NewReader(bytes.NewReader(content))
	format, err := formatOf(r)
	if err != nil {
		return nil, err
	}
	img, err := format.decode(r)
	if err != nil {
		return nil, damaged(err)
	}
	if img.Bounds().Empty() {
		return nil, damaged(errors.New("its first frame is empty"))
	}
	return img, nil
}

func damaged(err error) error {
	return fmt.Errorf("the picture is damaged: delete it or fetch it again: %w", err)
}
