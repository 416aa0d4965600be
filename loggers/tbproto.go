package loggers

import (
	"encoding/binary"
	"math"
	"strings"
)

// The few pieces of the protocol buffers' wire format that event files need:
// https://protobuf.dev/programming-guides/encoding/.

const (
	wireVarint = 0
	wire64     = 1
	wireBytes  = 2
	wire32     = 5
)

func protoKey(b []byte, field, wire int) []byte {
	return binary.AppendUvarint(b, uint64(field)<<3|uint64(wire))
}

func protoInt(b []byte, field int, v int64) []byte {
	return binary.AppendUvarint(protoKey(b, field, wireVarint), uint64(v))
}

func protoDouble(b []byte, field int, v float64) []byte {
	return binary.LittleEndian.AppendUint64(protoKey(b, field, wire64), math.Float64bits(v))
}

func protoFloat(b []byte, field int, v float32) []byte {
	return binary.LittleEndian.AppendUint32(protoKey(b, field, wire32), math.Float32bits(v))
}

// protoBytes appends bytes or an embedded message.
func protoBytes(b []byte, field int, v []byte) []byte {
	b = binary.AppendUvarint(protoKey(b, field, wireBytes), uint64(len(v)))
	return append(b, v...)
}

// protoString appends text, which readers refuse if it is not UTF-8.
func protoString(b []byte, field int, s string) []byte {
	s = strings.ToValidUTF8(s, "\ufffd")
	b = binary.AppendUvarint(protoKey(b, field, wireBytes), uint64(len(s)))
	return append(b, s...)
}
