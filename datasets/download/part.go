package download

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/actually-robust-training/art/datasets"
)

// partFile is a file that is being fetched, by this process alone.
type partFile struct {
	*os.File
	done int64 // bytes that are there
}

// openPart opens what is there of the file that is to be at path, empty if it is
// longer than the whole. It waits for another process that is fetching the file,
// and returns nil if that one has brought it.
func openPart(ctx context.Context, path string, file datasets.File) (*partFile, error) {
	for {
		f, err := os.OpenFile(path+".part", os.O_RDWR|os.O_CREATE, 0o644)
		if err != nil {
			return nil, err
		}
		mine, err := owned(f)
		if err == nil && mine {
			p := &partFile{File: f}
			if p.done, err = f.Seek(0, io.SeekEnd); err == nil && file.Bytes > 0 && p.done > file.Bytes {
				err = p.restart()
			}
			if err == nil {
				return p, nil
			}
		}
		if err := errors.Join(err, f.Close()); err != nil {
			return nil, err
		}
		select {
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		case <-time.After(100 * time.Millisecond):
		}
		if _, err := os.Stat(path); err == nil {
			return nil, nil
		}
	}
}

// owned locks the file and reports whether it is ours and still in its place:
// the process that had it before may have renamed or deleted it.
func owned(f *os.File) (bool, error) {
	locked, err := tryLock(f)
	if err != nil || !locked {
		return false, err
	}
	mine, err := f.Stat()
	if err != nil {
		return false, err
	}
	there, err := os.Stat(f.Name())
	return err == nil && os.SameFile(mine, there), nil
}

func (p *partFile) restart() error {
	p.done = 0
	if _, err := p.Seek(0, io.SeekStart); err != nil {
		return err
	}
	return p.Truncate(0)
}

// Write appends to the part.
func (p *partFile) Write(b []byte) (int, error) {
	n, err := p.File.Write(b)
	p.done += int64(n)
	return n, err
}

// ReadFrom hides that of [os.File], which would not count.
func (p *partFile) ReadFrom(r io.Reader) (int64, error) {
	return io.Copy(struct{ io.Writer }{p}, r)
}

// check compares length and checksum.
func (p *partFile) check(file datasets.File) error {
	if file.Bytes > 0 && p.done != file.Bytes {
		return fmt.Errorf("the file has more than the %d bytes that it should have: it is not the file that was published", file.Bytes)
	}
	if _, err := p.Seek(0, io.SeekStart); err != nil {
		return err
	}
	hash := sha256.New()
	if _, err := io.Copy(hash, p.File); err != nil {
		return err
	}
	if got := hex.EncodeToString(hash.Sum(nil)); got != file.SHA256 {
		return fmt.Errorf("the checksum is wrong: want sha256 %s, got %s: it is not the file that was published, and was deleted", file.SHA256, got)
	}
	return nil
}
