package loggers

import (
	"fmt"
	"image"
	_ "image/gif" // pictures of these kinds are shown
	_ "image/jpeg"
	_ "image/png"
	"os"
	"path"
	"path/filepath"
	"strings"

	"github.com/actually-robust-training/art/record"
)

// media is how the service shows a file.
type media string

const (
	mediaNone   media = "" // as one of the files of the run
	mediaImage  media = "image-file"
	mediaHTML   media = "html-file"
	mediaPlotly media = "plotly-file"
	mediaTable  media = "table-file"
)

// mediaOf says how an artifact of a run is shown.
func mediaOf(a *record.Artifact) media {
	switch name := strings.ToLower(a.Path); path.Ext(name) {
	case ".png", ".jpg", ".jpeg", ".gif":
		return mediaImage
	case ".svg", ".html":
		return mediaHTML
	case ".json":
		if strings.HasSuffix(name, ".plotly.json") {
			return mediaPlotly
		}
	}
	return mediaNone
}

// folders and endings by the protocol.
var mediaFolders = map[media][2]string{
	mediaImage: {"images", ""}, mediaHTML: {"html", ".html"}, mediaPlotly: {"plotly", ".plotly.json"},
	mediaTable: {"table", ".table.json"},
}

// mediaPath is the name that a file of media gets in the run.
func mediaPath(kind media, key string, step int64, sum, ending string) string {
	parts := strings.Split(strings.TrimLeft(key, "/"), "/")
	for i, part := range parts {
		switch part {
		case ".", "..":
			parts[i] = strings.Repeat("_", len(part))
		case "":
			parts[i] = "_"
		default:
			parts[i] = strings.Map(func(r rune) rune {
				if r < ' ' || strings.ContainsRune(`\:*?"<>|`, r) {
					return '_'
				}
				return r
			}, part)
		}
	}
	place := mediaFolders[kind]
	if place[1] != "" {
		ending = place[1]
	}
	return fmt.Sprintf("media/%s/%s_%d_%.20s%s", place[0], strings.Join(parts, "/"), step, sum, ending)
}

// addMedia puts a picture or a figure of a step into the row, and its file among
// those to upload.
func (b *wandbBatch) addMedia(i int, e *record.Event) {
	a, kind := e.Artifact, mediaOf(e.Artifact)
	key := metricKey{step: e.Step, trial: e.Trial, name: a.Name}.String()
	if a.Name == "" {
		key = metricKey{step: e.Step, trial: e.Trial, name: path.Base(a.Path)}.String()
	}
	local, err := b.local(a.Path)
	if err != nil {
		b.refused[i] = err
		return
	}
	step := max(b.Next, b.row.at)
	name := mediaPath(kind, key, step, a.SHA256, strings.ToLower(path.Ext(a.Path)))
	fields := map[string]string{
		"_type": string(appendText(nil, string(kind))), "sha256": string(appendText(nil, a.SHA256)),
		"size": fmt.Sprint(a.Bytes), "path": string(appendText(nil, name)),
	}
	if kind == mediaImage {
		width, height, err := imageSize(local)
		if err != nil {
			b.refused[i] = fmt.Errorf("%s cannot be read as a picture: %w", a.Path, err)
			return
		}
		fields["width"], fields["height"] = fmt.Sprint(width), fmt.Sprint(height)
		fields["format"] = string(appendText(nil, strings.TrimPrefix(strings.ToLower(path.Ext(a.Path)), ".")))
	}
	b.files = append(b.files, wandbFile{name, local, i})
	b.row.set(key, string(appendFields(nil, fields)))
}

// addArtifact takes the files that are in no row.
func (b *wandbBatch) addArtifact(i int, e *record.Event) {
	if e.Artifact == nil {
		return
	}
	local, err := b.local(e.Artifact.Path)
	if err != nil {
		b.refused[i] = err
		return
	}
	if !isWeights(e.Artifact) {
		b.files = append(b.files, wandbFile{runFileName(e.Artifact.Path), local, i})
		return
	}
	b.artifacts = append(b.artifacts, weightsArtifact(b.p, e, local, i))
}

func isWeights(a *record.Artifact) bool { return a.Kind == "weights" }

// runFileName keeps files away from names that mean something to the service.
func runFileName(name string) string {
	name = path.Clean(filepath.ToSlash(name))
	if !strings.Contains(name, "/") {
		return "files/" + name
	}
	for _, own := range []string{"media/", "artifact/", "code/"} {
		if strings.HasPrefix(name, own) {
			return "files/" + name
		}
	}
	return name
}

// local is the file of an artifact, which has to be in the directory of the run.
func (b *wandbBatch) local(name string) (string, error) {
	rel := filepath.FromSlash(name)
	if b.p.Directory == "" || !filepath.IsLocal(rel) {
		return "", fmt.Errorf("%s cannot be found: the run has no directory, or it is outside of it", name)
	}
	local := filepath.Join(b.p.Directory, rel)
	info, err := os.Stat(local)
	if err != nil {
		return "", err
	}
	if !info.Mode().IsRegular() {
		return "", fmt.Errorf("%s is not a file", local)
	}
	return local, nil
}

func imageSize(file string) (width, height int, err error) {
	f, err := os.Open(file)
	if err != nil {
		return 0, 0, err
	}
	defer f.Close() //nolint:errcheck // it was only read
	c, _, err := image.DecodeConfig(f)
	return c.Width, c.Height, err
}
