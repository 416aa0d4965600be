package wandbtest

import (
	"crypto/md5"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"path"
	"regexp"
	"slices"
	"strings"
)

// Artifact is a version of an artifact.
type Artifact struct {
	ID, Entity, Project, Type, Name string
	// Version is the N of vN; -1 until it is committed.
	Version                    int
	Aliases                    []string
	Description, Digest, State string
	Metadata                   map[string]any
	// Run is the id of the one that logged it.
	Run      string
	ClientID string
	// Files by their path.
	Files map[string][]byte
}

// artifact is an Artifact as it came in.
type artifact struct {
	Artifact
	metadata   string
	manifestID string
	manifest   []byte
	digest     string // base64 MD5 that the manifest has to have
}

// Artifacts returns all committed versions, in the order of their commits.
func (s *Server) Artifacts() []Artifact {
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []Artifact
	for _, a := range s.artifacts {
		if a.State != committed {
			continue
		}
		c := a.Artifact
		c.Aliases, c.Files, c.Metadata = slices.Clone(c.Aliases), maps.Clone(c.Files), decode(a.metadata)
		all = append(all, c)
	}
	return all
}

const (
	pending   = "PENDING"
	committed = "COMMITTED"
)

// versions are the committed ones of a collection, the last one last.
func (s *Server) versions(entity, project, name string) (all []*artifact) {
	for _, a := range s.artifacts {
		if a.Entity == entity && a.Project == project && a.Name == name && a.State == committed {
			all = append(all, a)
		}
	}
	return all
}

var versionAlias = regexp.MustCompile(`^v\d+$`)

func (s *Server) createArtifact(args arguments) (any, error) {
	in, err := inputOf("CreateArtifactInput", args)
	if err != nil {
		return nil, err
	}
	a := &artifact{metadata: in.text("metadata"), Artifact: Artifact{
		ID: s.id("Artifact"), Entity: in.text("entityName"), Project: in.text("projectName"), Type: in.text("artifactTypeName"), Name: in.text("artifactCollectionName"),
		Version: -1, Description: in.text("description"), Digest: in.text("digest"), State: pending, Run: in.text("runName"), ClientID: in.text("clientID"),
		Files: map[string][]byte{},
	}}
	if t := s.checkArtifact(a, in); t != nil {
		t.path = "createArtifact"
		return nil, t
	}
	before := s.versions(a.Entity, a.Project, a.Name)
	latest := object(nil)
	if len(before) > 0 {
		latest = object{"__typename": "Artifact", "id": before[len(before)-1].ID, "versionIndex": before[len(before)-1].Version}
	}
	for _, old := range before {
		if in["enableDigestDeduplication"] == true && old.Digest == a.Digest {
			s.alias(old, a.Aliases)
			a = old
			break
		}
	}
	if a.State == pending {
		s.artifacts = append(s.artifacts, a)
	}
	made := s.artifactObject(a)
	made["artifactSequence"].(object)["latestArtifact"] = latest
	return object{"__typename": "CreateArtifactPayload", "artifact": made}, nil
}

func (s *Server) checkArtifact(a *artifact, in arguments) *trouble {
	switch {
	case a.Entity != Entity:
		return &trouble{status: http.StatusForbidden, message: "permission denied", code: "PERMISSION_ERROR"}
	case a.Name == "" || len(a.Name) > 128:
		return badRequest("invalid artifact name %s, must be 128 characters or less", a.Name)
	case strings.ContainsAny(a.Name, "/:"), strings.ContainsAny(a.Type, "/:"), len(a.Type) > 128:
		return badRequest("invalid artifact name %s of type %s", a.Name, a.Type)
	case in.text("digestAlgorithm") != "MANIFEST_MD5":
		return badRequest("digest algorithm %s is not enabled", in.text("digestAlgorithm"))
	case in.text("clientID") == "" || in.text("sequenceClientID") == "":
		return s.violated("createArtifact: clientID and sequenceClientID have to be given")
	case in.text("runName") != "" && s.find(a.Entity, a.Project, a.Run) == nil:
		return &trouble{status: http.StatusNotFound, message: "run not found"}
	case a.metadata != "" && decode(a.metadata) == nil, len(decode(a.metadata)) > 100:
		return badRequest("metadata must be a JSON object of at most 100 keys")
	}
	aliases, _ := in["aliases"].([]any)
	for _, v := range aliases {
		alias, _ := v.(map[string]any)["alias"].(string)
		of, _ := v.(map[string]any)["artifactCollectionName"].(string)
		if alias == "" || strings.ContainsAny(alias, "/:") || versionAlias.MatchString(alias) || of != a.Name {
			return badRequest("invalid alias %q of %q", alias, of)
		}
		a.Aliases = append(a.Aliases, alias)
	}
	for _, old := range s.versions(a.Entity, a.Project, a.Name) {
		if old.Type != a.Type {
			return badRequest("artifact %s is of type %s, not %s", a.Name, old.Type, a.Type)
		}
	}
	return nil
}

// alias moves aliases to a version.
func (s *Server) alias(to *artifact, aliases []string) {
	for _, a := range s.artifacts {
		if a.Entity == to.Entity && a.Project == to.Project && a.Name == to.Name && a.State == committed {
			a.Aliases = slices.DeleteFunc(a.Aliases, func(alias string) bool { return slices.Contains(aliases, alias) })
		}
	}
	to.Aliases = append(to.Aliases, aliases...)
}

func (s *Server) byID(id string) *artifact {
	for _, a := range s.artifacts {
		if a.ID == id {
			return a
		}
	}
	return nil
}

func (s *Server) createArtifactManifest(args arguments) (any, error) {
	in, err := inputOf("CreateArtifactManifestInput", args)
	if err != nil {
		return nil, err
	}
	a := s.byID(in.text("artifactID"))
	if a == nil || a.State != pending {
		return nil, &trouble{status: http.StatusNotFound, message: "artifact not found", path: "createArtifactManifest"}
	}
	if in.text("name") != "wandb_manifest.json" || in.text("type") != "FULL" {
		return nil, badRequest("manifest %s of type %s is not supported", in.text("name"), in.text("type"))
	}
	if a.manifestID == "" {
		a.manifestID = s.id("ArtifactManifest")
	}
	a.digest = in.text("digest")
	headers := []string{"Content-MD5:" + a.digest, "Content-Type:application/json"}
	file := object{"__typename": "File", "id": s.id("File"), "uploadHeaders": headers, "uploadUrl": nil}
	if a.digest != "" {
		file["uploadUrl"] = s.sign(&grant{method: http.MethodPut, headers: headers, put: func(b []byte) { a.manifest = b }})
	}
	return object{"__typename": "CreateArtifactManifestPayload", "artifactManifest": object{"__typename": "ArtifactManifest", "id": a.manifestID, "file": file}}, nil
}

func (s *Server) createArtifactFiles(args arguments) (any, error) {
	in, err := inputOf("CreateArtifactFilesInput", args)
	if err != nil {
		return nil, err
	}
	specs, _ := in["artifactFiles"].([]any)
	var nodes []object
	for _, v := range specs {
		spec, err := inputOf("CreateArtifactFileSpecInput", arguments{"input": v})
		if err != nil {
			return nil, err
		}
		a, name, sum := s.byID(spec.text("artifactID")), spec.text("name"), spec.text("md5")
		if a == nil || a.State != pending || a.manifestID == "" || spec.text("artifactManifestID") != a.manifestID {
			return nil, &trouble{status: http.StatusNotFound, message: "artifact not found", path: "createArtifactFiles"}
		}
		raw, err := base64.StdEncoding.DecodeString(sum)
		if err != nil || len(raw) != md5.Size {
			return nil, s.violated("createArtifactFiles: the md5 of %s, %q, is not base64 of 16 bytes", name, sum)
		}
		headers := []string{"Content-MD5:" + sum, "Content-Type:application/octet-stream"}
		node := object{
			"__typename": "File", "storagePath": "wandb_artifacts/1/" + hex.EncodeToString(raw), "uploadMultipartUrls": object(nil),
			"uploadUrl": nil, "uploadHeaders": headers, "artifact": object{"__typename": "Artifact", "id": a.ID},
		}
		if birth, b := s.held(a, raw); birth != nil {
			a.Files[name] = b
			node["artifact"].(object)["id"] = birth.ID
		} else if sums, err := s.announced(name, spec); err != nil {
			return nil, err
		} else {
			if sums != nil {
				node["uploadMultipartUrls"] = s.assemble(a, name, node["storagePath"].(string), sums)
			}
			node["uploadUrl"] = s.sign(&grant{method: http.MethodPut, headers: headers, put: func(b []byte) { a.Files[name] = b }})
		}
		nodes = append(nodes, node)
	}
	return object{"__typename": "CreateArtifactFilesPayload", "files": edges("File", nodes)}, nil
}

// held finds bytes that a committed version of the collection has.
func (s *Server) held(like *artifact, sum []byte) (*artifact, []byte) {
	for _, a := range s.versions(like.Entity, like.Project, like.Name) {
		for _, b := range a.Files {
			if got := md5.Sum(b); string(got[:]) == string(sum) {
				return a, b
			}
		}
	}
	return nil, nil
}

func (s *Server) commitArtifact(args arguments) (any, error) {
	in, err := inputOf("CommitArtifactInput", args)
	if err != nil {
		return nil, err
	}
	a := s.byID(in.text("artifactID"))
	if a == nil {
		return nil, &trouble{status: http.StatusNotFound, message: "artifact not found", path: "commitArtifact"}
	}
	if a.State == pending {
		if err := checkManifest(a); err != nil {
			return nil, s.violated("commitArtifact: %s: %s", a.Name, err)
		}
		before, aliases := s.versions(a.Entity, a.Project, a.Name), a.Aliases
		a.State, a.Aliases = committed, nil
		a.Version = len(before)
		s.artifacts = append(slices.DeleteFunc(s.artifacts, func(b *artifact) bool { return b == a }), a)
		s.alias(a, aliases)
	}
	return object{"__typename": "CommitArtifactPayload", "artifact": s.artifactObject(a)}, nil
}

// checkManifest says whether all that a manifest promises is there.
func checkManifest(a *artifact) error {
	sum := md5.Sum(a.manifest)
	if a.manifest == nil || a.digest != base64.StdEncoding.EncodeToString(sum[:]) {
		return fmt.Errorf("the manifest is not there, or not the one that was announced")
	}
	var m struct {
		Version             int    `json:"version"`
		StoragePolicy       string `json:"storagePolicy"`
		StoragePolicyConfig struct {
			StorageLayout string `json:"storageLayout"`
		} `json:"storagePolicyConfig"`
		Contents map[string]struct {
			Digest          string `json:"digest"`
			BirthArtifactID string `json:"birthArtifactID"`
			Size            int64  `json:"size"`
			Ref             string `json:"ref"`
		} `json:"contents"`
	}
	if err := json.Unmarshal(a.manifest, &m); err != nil {
		return err
	}
	if m.Version != 1 || m.StoragePolicy != "wandb-storage-policy-v1" || m.StoragePolicyConfig.StorageLayout != "V2" {
		return fmt.Errorf("the manifest is of version %d, policy %q, layout %q", m.Version, m.StoragePolicy, m.StoragePolicyConfig.StorageLayout)
	}
	text := "wandb-artifact-manifest-v1\n"
	for _, name := range slices.Sorted(maps.Keys(m.Contents)) {
		entry := m.Contents[name]
		text += name + ":" + entry.Digest + "\n"
		if entry.Ref != "" {
			continue
		}
		b, there := a.Files[name]
		got := md5.Sum(b)
		switch {
		case !there:
			return fmt.Errorf("%s is in the manifest and was not uploaded", name)
		case base64.StdEncoding.EncodeToString(got[:]) != entry.Digest || int64(len(b)) != entry.Size:
			return fmt.Errorf("%s is not what the manifest says", name)
		case entry.BirthArtifactID == "":
			return fmt.Errorf("%s has no birthArtifactID", name)
		case path.Clean(name) != name || path.IsAbs(name) || strings.HasPrefix(name, "../"):
			return fmt.Errorf("%s leads out of the artifact", name)
		}
	}
	if got := md5.Sum([]byte(text)); hex.EncodeToString(got[:]) != a.Digest {
		return fmt.Errorf("the digest is %x, not %s as it was said to be", got, a.Digest)
	}
	for name := range a.Files {
		if _, there := m.Contents[name]; !there {
			return fmt.Errorf("%s was uploaded and is not in the manifest", name)
		}
	}
	return nil
}
