package wandbtest

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
)

// artifactObject is a version for queries.
func (s *Server) artifactObject(a *artifact) object {
	size := 0
	for _, b := range a.Files {
		size += len(b)
	}
	index := any(nil)
	if a.Version >= 0 {
		index = a.Version
	}
	metadata := a.metadata
	if metadata == "" {
		metadata = "{}"
	}
	return object{
		"__typename": "Artifact", "id": a.ID, "state": a.State, "digest": a.Digest, "digestAlgorithm": "MANIFEST_MD5", "versionIndex": index, "description": nil,
		"metadata": metadata, "size": size, "fileCount": len(a.Files), "commitHash": "c0ffee", "createdAt": created, "updatedAt": nil, "historyStep": nil,
		"ttlDurationSeconds": -2, "ttlIsInherited": true, "tags": []object{}, "artifactType": object{"__typename": "ArtifactType", "name": a.Type},
		"artifactSequence": collectionObject(a), "aliases": aliasObjects(a, a.Aliases),
		"currentManifest": object{"__typename": "ArtifactManifest", "id": a.manifestID, "file": object{
			"__typename": "File", "directUrl": s.sign(&grant{method: http.MethodGet, get: func() []byte { return a.manifest }}),
		}},
		"files":                  resolver{[]string{"names", "after", "first"}, func(arguments) (any, error) { return s.files(a, nil), nil }},
		"filesByManifestEntries": resolver{[]string{"entries", "storageLayout", "manifestVersion", "storageRegion"}, s.byEntries(a)},
	}
}

func collectionObject(a *artifact) object {
	return object{"__typename": "ArtifactSequence", "id": "c", "name": a.Name, "project": projectObject(a.Entity, a.Project), "digestAlgorithm": "MANIFEST_MD5"}
}

func aliasObjects(a *artifact, aliases []string) []object {
	all := []object{}
	for _, alias := range aliases {
		all = append(all, object{"__typename": "ArtifactAlias", "id": "a-" + alias, "alias": alias, "artifactCollection": collectionObject(a)})
	}
	return all
}

// files are addresses to read the files of a version; all if names is nil.
func (s *Server) files(a *artifact, names []string) object {
	var nodes []object
	for _, name := range slices.Sorted(maps.Keys(a.Files)) {
		if names != nil && !slices.Contains(names, name) {
			continue
		}
		b := a.Files[name]
		url := s.sign(&grant{method: http.MethodGet, get: func() []byte { return b }})
		nodes = append(nodes, object{"__typename": "File", "id": name, "name": name, "directUrl": url, "url": url, "sizeBytes": len(b)})
	}
	return edges("File", nodes)
}

func (s *Server) byEntries(a *artifact) func(arguments) (any, error) {
	return func(args arguments) (any, error) {
		names := []string{}
		entries, _ := args["entries"].([]any)
		for _, e := range entries {
			names = append(names, arguments(e.(map[string]any)).text("name"))
		}
		return s.files(a, names), nil
	}
}

func (s *Server) artifactByID(args arguments) (any, error) {
	a := s.byID(args.text("id"))
	if a == nil {
		return object(nil), nil
	}
	return s.artifactObject(a), nil
}

// version finds what NAME:ALIAS names.
func (s *Server) version(entity, project, full string) *artifact {
	name, alias, found := strings.Cut(full, ":")
	if !found {
		alias = "latest"
	}
	for _, a := range s.versions(entity, project, name) {
		if alias == fmt.Sprintf("v%d", a.Version) || slices.Contains(a.Aliases, alias) {
			return a
		}
	}
	return nil
}

func (s *Server) artifactByName(entity, project, name string) (any, error) {
	a := s.version(entity, project, name)
	if a == nil {
		return object(nil), nil
	}
	return s.artifactObject(a), nil
}

func (s *Server) membership(entity, project, name string) (any, error) {
	a := s.version(entity, project, name)
	if a == nil {
		return object(nil), nil
	}
	return object{
		"__typename": "ArtifactCollectionMembership", "id": "m", "versionIndex": a.Version, "createdAt": created, "aliases": aliasObjects(a, a.Aliases),
		"artifactCollection": collectionObject(a), "artifact": s.artifactObject(a),
		"files": resolver{[]string{"after", "first", "names"}, func(arguments) (any, error) { return s.files(a, nil), nil }},
	}, nil
}

func (s *Server) collection(entity, project, name string) (any, error) {
	all := s.versions(entity, project, name)
	if len(all) == 0 {
		return object(nil), nil
	}
	c := collectionObject(all[0])
	c["artifactMembership"] = resolver{[]string{"aliasName"}, func(args arguments) (any, error) {
		return s.membership(entity, project, name+":"+args.text("aliasName"))
	}}
	return c, nil
}

func (s *Server) artifactType(entity, project, kind string) (any, error) {
	t := object{"__typename": "ArtifactType", "name": kind}
	t["artifactCollection"] = resolver{[]string{"name"}, func(args arguments) (any, error) { return s.collection(entity, project, args.text("name")) }}
	return t, nil
}

func (s *Server) useArtifact(args arguments) (any, error) {
	in, err := inputOf("UseArtifactInput", args)
	if err != nil {
		return nil, err
	}
	a, r := s.byID(in.text("artifactID")), s.find(in.text("entityName"), in.text("projectName"), in.text("runName"))
	if a == nil || r == nil {
		return nil, &trouble{status: http.StatusNotFound, message: "run or artifact not found", path: "useArtifact"}
	}
	r.Used = append(r.Used, a.ID)
	return object{"__typename": "UseArtifactPayload", "artifact": s.artifactObject(a)}, nil
}

// clientIDMapping finds the id of the version that a client has named itself.
func (s *Server) clientIDMapping(args arguments) (any, error) {
	for _, a := range s.artifacts {
		if a.ClientID == args.text("clientID") && a.State == committed {
			return object{"__typename": "ClientIDMapping", "serverID": a.ID}, nil
		}
	}
	return object(nil), nil
}

// Manifest returns the manifest of a version as it was uploaded.
func (s *Server) Manifest(id string) (m map[string]any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if a := s.byID(id); a == nil || json.Unmarshal(a.manifest, &m) != nil {
		return nil
	}
	return m
}
