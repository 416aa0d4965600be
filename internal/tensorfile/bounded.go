package tensorfile

import (
	"fmt"
	"io"
)

// firstRead is the most that is allocated on the word of a header alone, bytes.
const firstRead = 1 << 20

// readExactly reads n bytes into memory that grows with what really arrives: at
// most firstRead or twice the bytes read so far, never more than n.
func readExactly(r io.Reader, n int) ([]byte, error) {
	buf := make([]byte, min(n, firstRead))
	read := 0
	for {
		m, err := io.ReadFull(r, buf[read:])
		read += m
		if err == io.EOF || err == io.ErrUnexpectedEOF {
			return nil, fmt.Errorf("truncated: %d of %d bytes", read, n)
		}
		if err != nil {
			return nil, err
		}
		if read == n {
			return buf, nil
		}
		grown := make([]byte, min(n, 2*len(buf)))
		copy(grown, buf)
		buf = grown
	}
}
