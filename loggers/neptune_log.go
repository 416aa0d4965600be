package loggers

import (
	"bytes"
	"crypto/rand"
	"errors"
	"fmt"
	"image"
	"image/png"
	"os"
	"path/filepath"
	"strings"

	"github.com/actually-robust-training/art/record"
)

// neptuneKind is an event that is for Neptune alone: Name says what it is about,
// Settings hold the field, and the file if there is one.
const neptuneKind record.Kind = "neptune"

// What an event of neptuneKind is about.
const (
	neptuneFile   = "file"   // Settings: path, file, ext
	neptuneFiles  = "files"  // path, file: a folder
	neptuneImage  = "image"  // path, file, name, description; Iteration
	neptuneTags   = "tags"   // Text: a list in JSON
	neptuneString = "string" // path; Text
)

// Where the official client and its integrations look for checkpoints.
const (
	checkpointsPath = "training/model/checkpoints/"
	bestModelPath   = "training/model/best_model_path"
	lastModelPath   = "training/model/last_model_path"
)

// log keeps something of ours, with a copy of its file.
func (n *Neptune) log(about, text string, iteration int, settings map[string]string, content []byte) error {
	p := neptunePending{record.Event{Kind: neptuneKind, Name: about, Text: text, Iteration: iteration, Settings: settings}, content}
	n.mu.Lock()
	files := n.files
	n.mu.Unlock()
	if files != "" {
		// Not while the lock is held: a training does not wait for a large file.
		if err := p.write(files); err != nil {
			return n.trouble(p.lost(err))
		}
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.keep(p)
}

// write keeps the content in a file, for as long as it has not been sent.
func (p *neptunePending) write(dir string) error {
	if p.content == nil {
		return nil
	}
	file := filepath.Join(dir, rand.Text())
	err := errors.Join(os.MkdirAll(dir, 0o755), os.WriteFile(file, p.content, 0o644))
	p.event.Settings["file"], p.content = file, nil
	return err
}

func (p *neptunePending) lost(err error) error {
	return fmt.Errorf("Neptune: logging %s: %w", p.event.Settings["path"], err)
}

// keep puts something of ours into the spool, or aside until there is one.
func (n *Neptune) keep(p neptunePending) error {
	err := n.err
	switch {
	case n.closed:
		err = os.ErrClosed
	case n.mode == neptuneReadOnly:
		err = errors.New("the mode is read-only")
	case err != nil:
	case n.out == nil:
		n.pending = append(n.pending, p)
		return nil
	case n.out == record.Discard:
		return nil
	}
	if err == nil {
		err = p.write(n.files)
	}
	if err == nil {
		if p.event.Seq == 0 {
			p.event.Seq, p.event.Time = n.last.Seq, n.last.Time
		}
		err = n.out.Emit(p.event)
	}
	if err != nil {
		return n.trouble(p.lost(err))
	}
	return nil
}

// LogConfig uploads a configuration, the content of a file, to the field at a
// path, like hydra/config. Its extension, like yaml, says how it is shown.
func (n *Neptune) LogConfig(path, ext string, content []byte) error {
	return n.LogFile(path, ext, content)
}

// LogFile uploads a file to the field at a path. Its extension, like md, says how it is
// shown. A second one takes the place of the first.
func (n *Neptune) LogFile(path, ext string, content []byte) error {
	if content == nil {
		content = []byte{}
	}
	return n.log(neptuneFile, "", 0, map[string]string{"path": path, "ext": strings.TrimPrefix(ext, ".")}, content)
}

// LogImage uploads a picture to the field at a path. A second one takes the place of
// the first.
func (n *Neptune) LogImage(path string, img image.Image) error {
	var b bytes.Buffer
	if err := png.Encode(&b, img); err != nil {
		return fmt.Errorf("Neptune: the picture %s: %w", path, err)
	}
	return n.LogFile(path, "png", b.Bytes())
}

// AppendImage adds a picture of up to 32 MiB to the series at a path. Iterations
// increase, as they do for scalars.
func (n *Neptune) AppendImage(path string, iteration int, img image.Image, name, description string) error {
	var b bytes.Buffer
	if err := png.Encode(&b, img); err != nil {
		return fmt.Errorf("Neptune: the picture %s: %w", path, err)
	}
	if b.Len() > maxNeptuneImage {
		return fmt.Errorf("Neptune: the picture %s has %d bytes, more than the %d of a series: use LogImage", path, b.Len(), maxNeptuneImage)
	}
	return n.log(neptuneImage, "", iteration, map[string]string{"path": path, "name": name, "description": description}, b.Bytes())
}

// LogFigure uploads a figure, the content of a file, to the field at a path. Its
// extension, like svg or html, says how it is shown.
func (n *Neptune) LogFigure(path, ext string, figure []byte) error {
	return n.LogFile(path, ext, figure)
}

// LogFiles uploads all files in a folder as the file set at a path. They are read
// when they are sent, and must be there until then. A second folder takes the place
// of the first.
func (n *Neptune) LogFiles(path, dir string) error {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return fmt.Errorf("Neptune: the files %s: %w", path, err)
	}
	return n.log(neptuneFiles, "", 0, map[string]string{"path": path, "file": dir}, nil)
}

// AddTags adds tags to the run.
func (n *Neptune) AddTags(tags ...string) error {
	if len(tags) == 0 {
		return nil
	}
	return n.log(neptuneTags, jsonList(tags), 0, map[string]string{"path": "sys/tags"}, nil)
}

// LogCheckpoint uploads a file of weights under a name, at training/model/checkpoints,
// where DownloadCheckpoint finds it. The names last and best have the meaning they
// have there. The file is read when it is sent, and must be there until then.
func (n *Neptune) LogCheckpoint(name, file string) error {
	file, err := filepath.Abs(file)
	if err != nil {
		return fmt.Errorf("Neptune: the checkpoint %s: %w", name, err)
	}
	path := checkpointsPath + neptunePath(name)
	err = n.log(neptuneFile, "", 0, map[string]string{"path": path, "file": file, "ext": strings.TrimPrefix(filepath.Ext(file), ".")}, nil)
	if err != nil || name != "best" {
		return err
	}
	// The official integrations read the name of a file here, and cut off .ckpt.
	return n.log(neptuneString, name+".ckpt", 0, map[string]string{"path": bestModelPath}, nil)
}
