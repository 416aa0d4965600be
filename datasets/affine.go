package datasets

import (
	"fmt"
	"math"
	"math/rand/v2"
)

// Affine moves pictures [channels, height, width] by one random affine map, so
// that they are resampled (bilinearly) once however many changes are asked for.
// Places outside the picture have the value of the nearest edge. The zero value
// changes nothing.
type Affine struct {
	// Shift moves by up to so many pixels in each direction.
	Shift float64
	// Rotate turns by up to so many degrees either way.
	Rotate float64
	// Scale stretches by a factor from 1/(1+Scale) to 1+Scale.
	Scale float64
}

// Shift moves pictures by a whole number of pixels, up to n in each direction:
// no value changes, the edges are repeated.
func Shift(n int) Augmentation {
	return func(r *rand.Rand, shape []int, inputs []float32) {
		dx, dy := r.IntN(2*n+1)-n, r.IntN(2*n+1)-n
		resample(shape, inputs, func(x, y float64) (float64, float64) { return x - float64(dx), y - float64(dy) })
	}
}

// Rotate turns pictures by up to so many degrees either way.
func Rotate(degrees float64) Augmentation { return Affine{Rotate: degrees}.Augment }

// Scale stretches pictures by a factor from 1/(1+share) to 1+share.
func Scale(share float64) Augmentation { return Affine{Scale: share}.Augment }

// Augment is an [Augmentation].
func (a Affine) Augment(r *rand.Rand, shape []int, inputs []float32) {
	draw := func(spread float64) float64 { return float64(spread * (2*r.Float64() - 1)) }
	angle, dx, dy := draw(a.Rotate)*math.Pi/180, draw(a.Shift), draw(a.Shift)
	scale := math.Pow(1+a.Scale, draw(1))
	sin, cos := math.Sincos(angle)
	sin, cos = sin/scale, cos/scale
	height, width := plane(shape)
	cx, cy := float64(width-1)/2, float64(height-1)/2
	resample(shape, inputs, func(x, y float64) (float64, float64) {
		x, y = x-cx-dx, y-cy-dy
		return cx + float64(cos*x) + float64(sin*y), cy - float64(sin*x) + float64(cos*y)
	})
}

// Noise adds Gaussian noise of the given standard deviation to every input.
func Noise(std float64) Augmentation {
	return func(r *rand.Rand, _ []int, inputs []float32) {
		for i := range inputs {
			inputs[i] += float32(std * gaussian(r))
		}
	}
}

// Cutout covers a square of the given side, centred anywhere in the picture, by
// the mean of each channel (DeVries, Taylor 2017, who cover by 0 what was
// normalised to mean 0).
func Cutout(side int) Augmentation {
	return func(r *rand.Rand, shape []int, inputs []float32) {
		height, width := plane(shape)
		top, left := r.IntN(height)-side/2, r.IntN(width)-side/2
		for ; len(inputs) > 0; inputs = inputs[height*width:] {
			channel := inputs[:height*width]
			sum := 0.
			for _, v := range channel {
				sum += float64(v)
			}
			mean := float32(sum / float64(len(channel)))
			for y := max(top, 0); y < min(top+side, height); y++ {
				for x := max(left, 0); x < min(left+side, width); x++ {
					channel[y*width+x] = mean
				}
			}
		}
	}
}

// resample makes every pixel of every channel the value at the place that from
// gives for it.
func resample(shape []int, inputs []float32, from func(x, y float64) (float64, float64)) {
	height, width := plane(shape)
	old := make([]float32, height*width)
	for ; len(inputs) > 0; inputs = inputs[height*width:] {
		copy(old, inputs)
		for y := range height {
			for x := range width {
				inputs[y*width+x] = bilinear(old, width, height, from, x, y)
			}
		}
	}
}

func bilinear(old []float32, width, height int, from func(x, y float64) (float64, float64), x, y int) float32 {
	fx, fy := from(float64(x), float64(y))
	fx, fy = min(max(fx, 0), float64(width-1)), min(max(fy, 0), float64(height-1))
	left, top := int(fx), int(fy)
	right, below := min(left+1, width-1), min(top+1, height-1)
	u, v := fx-float64(left), fy-float64(top)
	mix := func(a, b float32, share float64) float64 {
		return float64((1-share)*float64(a)) + float64(share*float64(b))
	}
	upper, lower := mix(old[top*width+left], old[top*width+right], u), mix(old[below*width+left], old[below*width+right], u)
	return float32(float64((1-v)*upper) + float64(v*lower))
}

// plane is the height and width of a picture. It panics on examples of another
// shape.
func plane(shape []int) (height, width int) {
	if len(shape) != 3 {
		panic(fmt.Sprintf("this augmentation needs pictures, [channels, height, width]: the examples have shape %v", shape))
	}
	return shape[1], shape[2]
}
