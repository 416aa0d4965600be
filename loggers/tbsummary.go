package loggers

import (
	"encoding/binary"
	"math"
	"strconv"

	"github.com/actually-robust-training/art/record"
)

// The messages of TensorBoard, by hand. Their definitions are in
// tensorboard/compat/proto/{event,summary,tensor,tensor_shape,types}.proto and
// tensorboard/plugins/hparams/{plugin_data,api}.proto, release 2.20.

// Data types of TensorProto.dtype.
const (
	dtDouble = 2
	dtString = 7
)

// Kinds of data of SummaryMetadata.data_class, by which the data is loaded.
const (
	classTensor = 2
	classBlobs  = 3
)

// scalarValue appends a Summary.Value that is a plain number, as float32: all
// that TensorBoard keeps.
func scalarValue(b []byte, tag string, v float64) []byte {
	b = protoString(b, 1, tag)          // Summary.Value.tag
	return protoFloat(b, 2, float32(v)) // Summary.Value.simple_value
}

// tensorValue appends a Summary.Value with a tensor for a plugin. Tensor is the
// content of the TensorProto after its shape.
func tensorValue(b []byte, tag, plugin string, class int64, content []byte, dtype int64, shape []int, tensor []byte) []byte {
	data := protoString(nil, 1, plugin) // PluginData.plugin_name
	if len(content) > 0 {
		data = protoBytes(data, 2, content)
	}
	metadata := protoBytes(nil, 1, data) // SummaryMetadata.plugin_data
	if class != 0 {
		metadata = protoInt(metadata, 4, class)
	}
	var dims []byte
	for _, n := range shape {
		dims = protoBytes(dims, 2, protoInt(nil, 1, int64(n))) // TensorShapeProto.dim.size
	}
	proto := protoInt(nil, 1, dtype) // TensorProto.dtype
	proto = append(protoBytes(proto, 2, dims), tensor...)
	b = protoString(b, 1, tag)
	return protoBytes(protoBytes(b, 9, metadata), 8, proto) // Summary.Value.metadata, tensor
}

func textValue(b []byte, tag, text string) []byte {
	return tensorValue(b, tag, "text", classTensor, nil, dtString, []int{1}, protoString(nil, 8, text)) // TensorProto.string_val
}

// imageValue holds a picture as its file has it, preceded by width and height.
func imageValue(b []byte, tag string, width, height int, png []byte) []byte {
	tensor := protoString(nil, 8, strconv.Itoa(width))
	tensor = protoBytes(protoString(tensor, 8, strconv.Itoa(height)), 8, png)
	return tensorValue(b, tag, "images", classBlobs, nil, dtString, []int{3}, tensor)
}

// histogramValue holds rows of left edge, right edge and count.
func histogramValue(b []byte, tag string, values []float64) []byte {
	buckets := histogram(values)
	content := make([]byte, 0, len(buckets)*24)
	for _, bucket := range buckets {
		for _, v := range bucket {
			content = binary.LittleEndian.AppendUint64(content, math.Float64bits(v))
		}
	}
	return tensorValue(b, tag, "histograms", classTensor, nil, dtDouble, []int{len(buckets), 3}, protoBytes(nil, 4, content)) // TensorProto.tensor_content
}

// maxBuckets is the number of buckets that TensorBoard itself makes.
const maxBuckets = 30

// histogram counts the finite values in buckets of one width. Values that are
// all the same share a bucket of width one.
func histogram(values []float64) [][3]float64 {
	low, high, n := math.Inf(1), math.Inf(-1), 0.
	for _, v := range values {
		if !math.IsNaN(v) && !math.IsInf(v, 0) {
			low, high, n = min(low, v), max(high, v), n+1
		}
	}
	switch {
	case n == 0:
		return nil
	case low == high:
		return [][3]float64{{low - 0.5, high + 0.5, n}}
	}
	// Everything is halved so that the range of the largest numbers does not overflow.
	buckets := make([][3]float64, maxBuckets)
	edge := func(i int) float64 {
		at := float64(i) / maxBuckets
		return 2 * (low/2*(1-at) + high/2*at)
	}
	for i := range buckets {
		buckets[i][0], buckets[i][1] = edge(i), edge(i+1)
	}
	buckets[0][0], buckets[maxBuckets-1][1] = low, high
	for _, v := range values {
		if !math.IsNaN(v) && !math.IsInf(v, 0) {
			i := int((v/2 - low/2) / (high/2 - low/2) * maxBuckets)
			buckets[min(i, maxBuckets-1)][2]++
		}
	}
	return buckets
}

// sessionStart opens a row of the HParams page with the settings of a step.
func sessionStart(b []byte, e *record.Event) []byte {
	var info []byte
	for name, value := range sorted(e.Settings) {
		entry := protoBytes(protoString(nil, 1, name), 2, settingValue(value)) // map<string, Value>
		info = protoBytes(info, 1, entry)                                      // SessionStartInfo.hparams
	}
	info = protoDouble(info, 5, seconds(e)) // SessionStartInfo.start_time_secs
	return hparams(b, "_hparams_/session_start_info", protoBytes(nil, 3, info))
}

// sessionEnd closes it.
func sessionEnd(b []byte, e *record.Event) []byte {
	const success, failure = 1, 2
	status := int64(failure)
	if e.Outcome == record.Passed {
		status = success
	}
	info := protoDouble(protoInt(nil, 1, status), 2, seconds(e)) // SessionEndInfo.status, end_time_secs
	return hparams(b, "_hparams_/session_end_info", protoBytes(nil, 4, info))
}

// hparams appends a Summary.Value that has its content, an HParamsPluginData,
// in the metadata, and a tensor that means nothing.
func hparams(b []byte, tag string, content []byte) []byte {
	return tensorValue(b, tag, "hparams", classTensor, content, dtDouble, []int{1}, protoBytes(nil, 4, make([]byte, 8)))
}

// settingValue is a google.protobuf.Value: a number where the setting is one, so
// that the HParams page can sort and plot by it.
func settingValue(s string) []byte {
	if v, err := strconv.ParseFloat(s, 64); err == nil && !math.IsNaN(v) && !math.IsInf(v, 0) {
		return protoDouble(nil, 2, v)
	}
	if s == "true" {
		return protoInt(nil, 4, 1)
	}
	if s == "false" {
		return protoInt(nil, 4, 0)
	}
	return protoString(nil, 3, s)
}

// seconds since 1970, as TensorBoard has its times.
func seconds(e *record.Event) float64 {
	if e.Time.IsZero() {
		return 0
	}
	return float64(e.Time.UnixMicro()) / 1e6
}
