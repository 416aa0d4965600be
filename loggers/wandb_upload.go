package loggers

import (
	"context"
	"crypto/md5"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"
)

const createArtifactFiles = `mutation CreateArtifactFiles($artifactFiles:[CreateArtifactFileSpecInput!]!,$storageLayout:ArtifactStorageLayout!) {
 createArtifactFiles(input:{artifactFiles:$artifactFiles,storageLayout:$storageLayout}) { files { edges { node {
  storagePath uploadUrl uploadHeaders %s artifact { id } } } } } }`

// createParts is asked for by those who have large files only: older servers do not
// know it.
const createParts = `uploadMultipartUrls { uploadID uploadUrlParts { partNumber uploadUrl } }`

const completeParts = `mutation CompleteMultipartUploadArtifact($completeMultipartAction:CompleteMultipartAction!,$completedParts:[UploadPartsInput!]!,
 $artifactID:ID!,$storagePath:String!,$uploadID:String!) {
 completeMultipartUploadArtifact(input:{completeMultipartAction:$completeMultipartAction,completedParts:$completedParts,artifactID:$artifactID,
  storagePath:$storagePath,uploadID:$uploadID}) { digest } }`

// fileGrant is where the service wants a file of an artifact.
type fileGrant struct {
	StoragePath         string
	UploadURL           *string
	UploadHeaders       []string
	UploadMultipartURLs *struct {
		UploadID       string
		UploadURLParts []struct {
			PartNumber int
			UploadURL  string
		}
	}
	Artifact id
}

// uploadPart is a part as the service knows it: before it is sent by its MD5, after by
// what the store called it.
type uploadPart struct {
	PartNumber int    `json:"partNumber"`
	HexMD5     string `json:"hexMD5"`
}

// fileSpec is a file that is asked about.
type fileSpec struct {
	ArtifactID         string       `json:"artifactID"`
	ArtifactManifestID string       `json:"artifactManifestID"`
	Name               string       `json:"name"`
	MD5                string       `json:"md5"`
	Parts              []uploadPart `json:"uploadPartsInput,omitempty"`
}

// maxNames is how many files are asked about at once.
const maxNames = 500

// uploadEntries sends the files that the service does not have, and notes which
// version has had each first.
func (w *wandb) uploadEntries(ctx context.Context, a *wandbArtifact, artifact, manifest string, entries map[string]*artifactEntry) error {
	for names := range slices.Chunk(slices.Sorted(maps.Keys(entries)), maxNames) {
		var specs []fileSpec
		more := ""
		for _, name := range names {
			spec := fileSpec{ArtifactID: artifact, ArtifactManifestID: manifest, Name: name, MD5: entries[name].Digest}
			if entries[name].Size >= w.parts.from {
				var err error
				if spec.Parts, err = w.parts.of(a.Files[name], entries[name].Size); err != nil {
					return refusal{fmt.Errorf("%s of artifact %s: %w", name, a.Name, err)}
				}
				more = createParts
			}
			specs = append(specs, spec)
		}
		var got struct {
			CreateArtifactFiles struct {
				Files struct{ Edges []struct{ Node fileGrant } }
			}
		}
		variables := map[string]any{"artifactFiles": specs, "storageLayout": "V2"}
		if err := w.graphql(ctx, "CreateArtifactFiles", fmt.Sprintf(createArtifactFiles, more), variables, &got); err != nil {
			return err
		}
		edges := got.CreateArtifactFiles.Files.Edges
		if len(edges) != len(names) {
			return fmt.Errorf("its answer to CreateArtifactFiles has %d files instead of %d", len(edges), len(names))
		}
		for i, name := range names {
			entries[name].BirthArtifactID = edges[i].Node.Artifact.ID
			if err := w.putEntry(ctx, edges[i].Node, a.Files[name], entries[name], specs[i].Parts); err != nil {
				return fmt.Errorf("%s of artifact %s: %w", name, a.Name, err)
			}
		}
	}
	return nil
}

// putEntry sends a file, unless the service has its bytes; in parts if it wants them.
func (w *wandb) putEntry(ctx context.Context, to fileGrant, path string, entry *artifactEntry, parts []uploadPart) error {
	switch {
	case to.UploadURL == nil:
		return nil
	case to.UploadMultipartURLs != nil && len(to.UploadMultipartURLs.UploadURLParts) > 0:
		return w.putParts(ctx, to, path, entry.Size, parts)
	}
	return w.put(ctx, *to.UploadURL, to.UploadHeaders, path)
}

// putParts sends a file in parts, one after the other, and has the store put them
// together.
func (w *wandb) putParts(ctx context.Context, to fileGrant, path string, size int64, parts []uploadPart) error {
	file, err := os.Open(path)
	if err != nil {
		return refusal{err}
	}
	defer file.Close() //nolint:errcheck // it was only read
	step, kind := w.parts.size(size), ""
	for _, h := range to.UploadHeaders {
		if name, _, _ := strings.Cut(h, ":"); strings.EqualFold(name, "Content-Type") {
			kind = h
		}
	}
	var done []uploadPart
	for _, p := range to.UploadMultipartURLs.UploadURLParts {
		if p.PartNumber < 1 || p.PartNumber > len(parts) {
			return fmt.Errorf("the service asks for part %d of %d", p.PartNumber, len(parts))
		}
		sum, err := hex.DecodeString(parts[p.PartNumber-1].HexMD5)
		if err != nil {
			return err
		}
		headers := []string{"Content-MD5:" + base64.StdEncoding.EncodeToString(sum)}
		if kind != "" {
			headers = append(headers, kind)
		}
		begin := int64(p.PartNumber-1) * step
		n := min(step, size-begin)
		tag, err := w.putTagged(ctx, p.UploadURL, headers, io.NewSectionReader(file, begin, n), n)
		if err == nil && tag == "" {
			err = errors.New("the store did not say what it calls it")
		}
		if err != nil {
			return fmt.Errorf("part %d: %w", p.PartNumber, err)
		}
		done = append(done, uploadPart{p.PartNumber, tag})
	}
	return w.graphql(ctx, "CompleteMultipartUploadArtifact", completeParts, map[string]any{
		"completeMultipartAction": "Complete", "completedParts": done, "artifactID": to.Artifact.ID, "storagePath": to.StoragePath,
		"uploadID": to.UploadMultipartURLs.UploadID,
	}, nil)
}

// partSizes says which files are sent in parts.
type partSizes struct {
	from, each int64 // bytes
}

// wandbParts are those of the official client.
var wandbParts = partSizes{from: 2 << 30, each: 100 << 20}

const (
	maxParts  = 10_000
	maxObject = 5 << 40 // bytes, of a store
)

// size is that of each part but the last.
func (s partSizes) size(total int64) int64 {
	if total <= s.each*maxParts {
		return s.each
	}
	const page = 4096
	each := (total + maxParts - 1) / maxParts
	return (each + page - 1) / page * page
}

// of reads the file and returns its parts.
func (s partSizes) of(path string, total int64) ([]uploadPart, error) {
	if total > maxObject {
		return nil, fmt.Errorf("it has %d bytes, and the service takes %d", total, int64(maxObject))
	}
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close() //nolint:errcheck // it was only read
	var parts []uploadPart
	for n, step := 1, s.size(total); int64(n-1)*step < total; n++ {
		hash := md5.New()
		if _, err := io.Copy(hash, io.NewSectionReader(file, int64(n-1)*step, step)); err != nil {
			return nil, err
		}
		parts = append(parts, uploadPart{n, hex.EncodeToString(hash.Sum(nil))})
	}
	return parts, nil
}
