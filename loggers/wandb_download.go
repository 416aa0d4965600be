package loggers

import (
	"context"
	"crypto/md5"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/actually-robust-training/art/record"
)

const artifactMembership = `query ArtifactMembershipByName($entity:String!,$project:String!,$name:String!) {
 project(name:$project,entityName:$entity) { artifactCollectionMembership(name:$name) { versionIndex artifact { id state } } } }`

const fetchManifest = `query FetchArtifactManifest($id:ID!) { artifact(id:$id) { currentManifest { file { directUrl } } } }`

const artifactFileURLs = `query ArtifactFileUrls($id:ID!,$cursor:String,$perPage:Int) { artifact(id:$id) { files(after:$cursor,first:$perPage) {
 pageInfo { hasNextPage endCursor } edges { node { name directUrl } } } } }`

const useArtifact = `mutation UseArtifact($input:UseArtifactInput!){useArtifact(input:$input){artifact{id}}}`

const viewer = `query Viewer { viewer { entity } }`

// Download gets a version of an artifact into a folder, and returns the paths of its
// files there, sorted. The version is named NAME:ALIAS, the alias being one like
// "latest", "best" or "v3"; PROJECT/ and ENTITY/PROJECT/ may stand before it. Files that are
// there already with the right content are left alone; every file is compared with
// its digest before it gets its name. What was reached before an error stays.
func (w *WandB) Download(ctx context.Context, version, folder string) ([]string, error) {
	_, paths, err := w.downloadVersion(ctx, version, folder)
	return paths, err
}

func (w *WandB) downloadVersion(ctx context.Context, version, folder string) (id string, paths []string, err error) {
	target, err := w.target(loadWandBSettings(), &record.Event{})
	if err != nil {
		return "", nil, err
	}
	_, service, err := wandbDestination(target)
	if err != nil {
		return "", nil, err
	}
	id, paths, err = service.download(ctx, target["entity"], target["project"], version, folder)
	if err != nil {
		err = fmt.Errorf("downloading %s: %w", version, err)
	}
	return id, paths, err
}

func (w *wandb) download(ctx context.Context, entity, project, version, folder string) (id string, paths []string, err error) {
	parts := strings.Split(version, "/")
	name := parts[len(parts)-1]
	if len(parts) > 1 {
		project = parts[len(parts)-2]
	}
	if len(parts) > 2 {
		entity = parts[len(parts)-3]
	}
	if !strings.Contains(name, ":") {
		name += ":latest"
	}
	err = attempts(ctx, patience{}, func() (err error) {
		id, paths, err = w.downloadOnce(ctx, entity, project, name, folder)
		return err
	})
	return id, paths, err
}

func (w *wandb) downloadOnce(ctx context.Context, entity, project, name, folder string) (id string, paths []string, err error) {
	if entity == "" {
		var got struct{ Viewer *struct{ Entity string } }
		if err := w.graphql(ctx, "Viewer", viewer, nil, &got); err != nil {
			return "", nil, err
		}
		if got.Viewer == nil || got.Viewer.Entity == "" {
			return "", nil, refusal{errors.New("the key belongs to no entity: name one")}
		}
		entity = got.Viewer.Entity
	}
	var got struct {
		Project *struct {
			ArtifactCollectionMembership *struct{ Artifact struct{ ID, State string } }
		}
	}
	variables := map[string]any{"entity": entity, "project": project, "name": name}
	if err := w.graphql(ctx, "ArtifactMembershipByName", artifactMembership, variables, &got); err != nil {
		return "", nil, err
	}
	if got.Project == nil || got.Project.ArtifactCollectionMembership == nil {
		return "", nil, refusal{fmt.Errorf("there is no artifact %s in project %s of %s", name, project, entity)}
	}
	id = got.Project.ArtifactCollectionMembership.Artifact.ID
	entries, err := w.entries(ctx, id)
	if err != nil {
		return id, nil, err
	}
	addresses, err := w.fileAddresses(ctx, id)
	if err != nil {
		return id, nil, err
	}
	for _, inside := range slices.Sorted(maps.Keys(entries)) {
		path, err := w.fetchFile(ctx, addresses[inside], inside, *entries[inside], folder)
		if err != nil {
			return id, paths, fmt.Errorf("%s: %w", inside, err)
		}
		paths = append(paths, path)
	}
	return id, paths, nil
}

// entries reads the manifest of a version.
func (w *wandb) entries(ctx context.Context, id string) (map[string]*artifactEntry, error) {
	var got struct {
		Artifact *struct {
			CurrentManifest struct{ File struct{ DirectURL string } }
		}
	}
	if err := w.graphql(ctx, "FetchArtifactManifest", fetchManifest, map[string]any{"id": id}, &got); err != nil {
		return nil, err
	}
	if got.Artifact == nil {
		return nil, refusal{errors.New("the version has no manifest")}
	}
	var text strings.Builder
	if err := w.get(ctx, got.Artifact.CurrentManifest.File.DirectURL, 0, &text); err != nil {
		return nil, fmt.Errorf("the manifest: %w", err)
	}
	var manifest struct{ Contents map[string]*artifactEntry }
	if err := json.Unmarshal([]byte(text.String()), &manifest); err != nil {
		return nil, fmt.Errorf("the manifest: %w", err)
	}
	return manifest.Contents, nil
}

// fileAddresses are signed, by the path inside of the version.
func (w *wandb) fileAddresses(ctx context.Context, id string) (map[string]string, error) {
	addresses, cursor := map[string]string{}, ""
	for {
		var got struct {
			Artifact struct {
				Files struct {
					PageInfo struct {
						HasNextPage bool
						EndCursor   string
					}
					Edges []struct {
						Node struct{ Name, DirectURL string }
					}
				}
			}
		}
		variables := map[string]any{"id": id, "perPage": 1000}
		if cursor != "" {
			variables["cursor"] = cursor
		}
		if err := w.graphql(ctx, "ArtifactFileUrls", artifactFileURLs, variables, &got); err != nil {
			return nil, err
		}
		for _, e := range got.Artifact.Files.Edges {
			addresses[e.Node.Name] = e.Node.DirectURL
		}
		page := got.Artifact.Files.PageInfo
		if !page.HasNextPage || page.EndCursor == cursor {
			return addresses, nil
		}
		cursor = page.EndCursor
	}
}

// fetchFile gets one file, which has its name only if it is whole.
func (w *wandb) fetchFile(ctx context.Context, address, inside string, want artifactEntry, folder string) (string, error) {
	local := filepath.FromSlash(inside)
	if !filepath.IsLocal(local) {
		return "", refusal{errors.New("it leads out of the folder")}
	}
	path := filepath.Join(folder, local)
	if size, sum, err := fileMD5(path); err == nil && size == want.Size && sum == want.Digest {
		return path, nil
	}
	if address == "" {
		return "", refusal{errors.New("the service gives no address for it: references are not followed")}
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return "", refusal{err}
	}
	f, err := os.CreateTemp(filepath.Dir(path), ".tmp-*")
	if err != nil {
		return "", refusal{err}
	}
	hash := md5.New()
	err = w.get(ctx, address, want.Size, io.MultiWriter(f, hash))
	if sum := base64.StdEncoding.EncodeToString(hash.Sum(nil)); err == nil && sum != want.Digest {
		err = fmt.Errorf("what came has digest %s instead of %s", sum, want.Digest)
	}
	if err = errors.Join(err, f.Close()); err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		return "", errors.Join(err, os.Remove(f.Name()))
	}
	return path, nil
}

// get reads a signed address. The size is what the time is measured by.
func (w *wandb) get(ctx context.Context, address string, size int64, to io.Writer) error {
	ctx, cancel := context.WithTimeout(ctx, requestTimeout+time.Duration(size)*time.Second/slowestUpload)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return errors.New("the server gave an address for a file that is none")
	}
	r.Header.Set("User-Agent", "art-go")
	got, err := w.store.Do(r)
	if err != nil {
		return fmt.Errorf("reading from %s: %w", r.URL.Host, transportTrouble(err))
	}
	defer got.Body.Close() //nolint:errcheck // it was only read
	if err := w.storeTrouble(got, "reading from"); err != nil {
		return err
	}
	_, err = io.Copy(to, got.Body)
	return err
}

// use tells the service that the run has used a version.
func (w *wandb) use(ctx context.Context, p position, version string) error {
	input := map[string]any{"artifactID": version, "entityName": p.Remote["entity"], "projectName": p.Remote["project"], "runName": p.Remote["run"]}
	err := w.graphql(ctx, "UseArtifact", useArtifact, map[string]any{"input": input}, nil)
	if errors.As(err, new(refusal)) {
		return nil // it is only a line between two boxes
	}
	return err
}
