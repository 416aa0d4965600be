package loggers

import (
	"bytes"
	"context"
	"crypto/md5"
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"maps"
	"os"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/actually-robust-training/art/record"
)

// wandbArtifact is a version of an artifact to upload, as it is kept in the
// spool.
type wandbArtifact struct {
	Name        string            `json:"name"`
	Type        string            `json:"type"`
	Description string            `json:"description,omitempty"`
	Metadata    map[string]string `json:"metadata,omitempty"` // JSON texts
	Aliases     []string          `json:"aliases,omitempty"`  // beside latest
	Client      string            `json:"client"`
	Sequence    string            `json:"sequence"`
	Files       map[string]string `json:"files"` // local paths by the path inside
	event       int
}

// clientID names a version before the service does: 128 characters.
func clientID() string {
	b := make([]byte, 128)
	rand.Read(b) // never fails
	for i := range b {
		b[i] = "abcdefghijklmnopqrstuvwxyz0123456789"[int(b[i])%36]
	}
	return string(b)
}

var notInNames = regexp.MustCompile(`[^A-Za-z0-9_.-]+`)

// maxArtifactName is the longest name of an artifact, in bytes.
const maxArtifactName = 128

// artifactName keeps to what the service takes. What it changes is told apart by a
// checksum.
func artifactName(name string) string {
	clean := notInNames.ReplaceAllString(name, "")
	if clean == name && name != "" && len(name) <= maxArtifactName {
		return name
	}
	sum := crc32.ChecksumIEEE([]byte(name))
	end := base64.RawURLEncoding.EncodeToString([]byte{byte(sum >> 24), byte(sum >> 16), byte(sum >> 8), byte(sum)})
	return clean[:min(len(clean), maxArtifactName-len(end)-1)] + "-" + end
}

// weightsArtifact is the version for weights that a step has saved: one artifact
// for each recipe, step and file.
func weightsArtifact(p *position, e *record.Event, local string, event int) *wandbArtifact {
	a := e.Artifact
	inside := path.Base(a.Path)
	stem := strings.TrimSuffix(inside, path.Ext(inside))
	parts := slices.DeleteFunc([]string{p.Recipe, e.Step, e.Trial, stem}, func(s string) bool { return s == "" })
	for i := range parts {
		parts[i] = strings.ReplaceAll(parts[i], " ", "-")
	}
	made := &wandbArtifact{
		Name: artifactName(strings.Join(parts, "-")), Type: "model", Files: map[string]string{inside: local}, event: event,
		Metadata: map[string]string{"recipe": string(appendText(nil, p.Recipe)), "run": string(appendText(nil, p.Run)), "step": string(appendText(nil, e.Step))},
	}
	// The same in every attempt, and no other's.
	for _, of := range []struct {
		to   *string
		what string
	}{{&made.Client, a.Path + a.SHA256}, {&made.Sequence, ""}} {
		sum := md5.Sum([]byte(p.Remote["id"] + made.Name + of.what))
		*of.to = strings.Repeat(hex.EncodeToString(sum[:]), 4)
	}
	for _, alias := range []string{"best", "last"} {
		if strings.Contains(strings.ToLower(inside), alias) {
			made.Aliases = append(made.Aliases, alias)
		}
	}
	return made
}

// artifactEntry is a file of a manifest.
type artifactEntry struct {
	Digest          string `json:"digest"`
	BirthArtifactID string `json:"birthArtifactID"`
	Size            int64  `json:"size"`
}

// digest reads all files and returns their entries, and the digest of all.
func (a *wandbArtifact) digest() (entries map[string]*artifactEntry, digest string, err error) {
	entries = map[string]*artifactEntry{}
	text := []byte("wandb-artifact-manifest-v1\n")
	for _, name := range slices.Sorted(maps.Keys(a.Files)) {
		size, sum, err := fileMD5(a.Files[name])
		if err != nil {
			return nil, "", err
		}
		entries[name] = &artifactEntry{Digest: sum, Size: size}
		text = fmt.Appendf(text, "%s:%s\n", name, sum)
	}
	sum := md5.Sum(text)
	return entries, hex.EncodeToString(sum[:]), nil
}

// fileMD5 is the size of a file and its digest in base64.
func fileMD5(file string) (size int64, digest string, err error) {
	f, err := os.Open(file)
	if err != nil {
		return 0, "", err
	}
	defer f.Close() //nolint:errcheck // it was only read
	hash := md5.New()
	size, err = io.Copy(hash, f)
	return size, base64.StdEncoding.EncodeToString(hash.Sum(nil)), err
}

const createArtifact = `mutation CreateArtifact($input:CreateArtifactInput!) { createArtifact(input:$input) {
 artifact { id state artifactSequence { latestArtifact { id } } } } }`

const createArtifactManifest = `mutation CreateArtifactManifest($artifactID:ID!,$baseArtifactID:ID,$name:String!,$digest:String!,$entityName:String!,
 $projectName:String!,$runName:String!,$manifestType:ArtifactManifestType!,$includeUpload:Boolean!) {
 createArtifactManifest(input:{artifactID:$artifactID,baseArtifactID:$baseArtifactID,name:$name,digest:$digest,entityName:$entityName,
  projectName:$projectName,runName:$runName,type:$manifestType}) {
   artifactManifest { id file { id uploadUrl @include(if:$includeUpload) uploadHeaders @include(if:$includeUpload) } } } }`

const commitArtifact = `mutation CommitArtifact($artifactID:ID!) { commitArtifact(input:{artifactID:$artifactID}) { artifact { id digest } } }`

// id is an object that has only that.
type id struct{ ID string }

// upload makes the version, unless the service has one with the same content.
func (w *wandb) upload(ctx context.Context, p position, a *wandbArtifact) error {
	entries, digest, err := a.digest()
	if err != nil {
		return refusal{err}
	}
	aliases := []map[string]string{}
	for _, alias := range append([]string{"latest"}, a.Aliases...) {
		aliases = append(aliases, map[string]string{"artifactCollectionName": a.Name, "alias": alias})
	}
	input := map[string]any{
		"entityName": p.Remote["entity"], "projectName": p.Remote["project"], "runName": p.Remote["run"], "artifactTypeName": a.Type,
		"artifactCollectionName": a.Name, "digest": digest, "digestAlgorithm": "MANIFEST_MD5", "enableDigestDeduplication": true,
		"aliases": aliases, "clientID": a.Client, "sequenceClientID": a.Sequence, "metadata": string(appendFields(nil, a.Metadata)),
	}
	if a.Description != "" {
		input["description"] = a.Description
	}
	var made struct {
		CreateArtifact struct {
			Artifact struct {
				ID, State        string
				ArtifactSequence struct{ LatestArtifact *id }
			}
		}
	}
	if err := w.graphql(ctx, "CreateArtifact", createArtifact, map[string]any{"input": input}, &made); err != nil {
		return err
	}
	v := made.CreateArtifact.Artifact
	switch v.State {
	case "COMMITTED":
		return nil
	case "PENDING", "DELETED":
	default:
		return refusal{fmt.Errorf("artifact %s: the service says that its state is %q", a.Name, v.State)}
	}
	base := ""
	if v.ArtifactSequence.LatestArtifact != nil {
		base = v.ArtifactSequence.LatestArtifact.ID
	}
	manifest, err := w.manifest(ctx, p, v.ID, base, "")
	if err != nil {
		return err
	}
	if err := w.uploadEntries(ctx, a, v.ID, manifest.ID, entries); err != nil {
		return err
	}
	return w.commit(ctx, p, v.ID, base, digest, entries)
}

// manifestFile is where a manifest goes.
type manifestFile struct {
	ID   string
	File struct {
		UploadURL     string
		UploadHeaders []string
	}
}

// manifest reserves it, or, with its digest, asks where to put it.
func (w *wandb) manifest(ctx context.Context, p position, artifact, base, digest string) (manifestFile, error) {
	variables := map[string]any{
		"artifactID": artifact, "name": "wandb_manifest.json", "digest": digest, "entityName": p.Remote["entity"], "projectName": p.Remote["project"],
		"runName": p.Remote["run"], "manifestType": "FULL", "includeUpload": digest != "",
	}
	if base != "" {
		variables["baseArtifactID"] = base
	}
	var got struct {
		CreateArtifactManifest struct{ ArtifactManifest manifestFile }
	}
	err := w.graphql(ctx, "CreateArtifactManifest", createArtifactManifest, variables, &got)
	return got.CreateArtifactManifest.ArtifactManifest, err
}

// commit sends the manifest and makes the version visible.
func (w *wandb) commit(ctx context.Context, p position, artifact, base, digest string, entries map[string]*artifactEntry) error {
	text, err := encodeJSON(map[string]any{
		"version": 1, "storagePolicy": "wandb-storage-policy-v1", "storagePolicyConfig": map[string]string{"storageLayout": "V2"}, "contents": entries,
	})
	if err != nil {
		return refusal{err}
	}
	sum := md5.Sum(text)
	m, err := w.manifest(ctx, p, artifact, base, base64.StdEncoding.EncodeToString(sum[:]))
	if err != nil {
		return err
	}
	if err := w.putBytes(ctx, m.File.UploadURL, m.File.UploadHeaders, bytes.NewReader(text), int64(len(text))); err != nil {
		return fmt.Errorf("the manifest: %w", err)
	}
	var got struct {
		CommitArtifact struct {
			Artifact struct{ Digest string }
		}
	}
	if err := w.graphql(ctx, "CommitArtifact", commitArtifact, map[string]any{"artifactID": artifact}, &got); err != nil {
		return err
	}
	if said := got.CommitArtifact.Artifact.Digest; said != digest {
		return errors.New("the artifact arrived with digest " + said + " instead of " + digest)
	}
	return nil
}
