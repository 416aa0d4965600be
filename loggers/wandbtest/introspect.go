package wandbtest

import (
	"maps"
	"slices"
	"strings"
)

// inputTypes are the fields of the arguments of mutations; a ! marks those that must
// be given.
var inputTypes = map[string][]string{
	"UpsertBucketInput": {
		"id", "name", "groupName", "modelName", "entityName", "description", "displayName", "notes", "commit", "config",
		"host", "debug", "jobProgram", "jobRepo", "jobType", "state", "sweep", "tags", "summaryMetrics", "clientMutationId",
	},
	"CreateRunFilesInput": {"entityName!", "projectName!", "runName!", "files!", "clientMutationId"},
	"CreateArtifactInput": {
		"entityName!", "projectName!", "runName", "artifactTypeName!", "artifactCollectionName",
		"artifactCollectionNames", "digest!", "digestAlgorithm!", "enableDigestDeduplication", "aliases", "clientID", "sequenceClientID",
		"metadata", "historyStep", "description", "tags", "ttlDurationSeconds", "distributedID", "storageRegion", "labels", "clientMutationId",
	},
	"CreateArtifactManifestInput": {
		"artifactID!", "baseArtifactID", "name!", "digest", "entityName!", "projectName!", "runName", "type",
		"clientMutationId",
	},
	"CreateArtifactFilesInput":    {"artifactFiles!", "storageLayout", "cloudRegionID", "clientMutationId"},
	"CreateArtifactFileSpecInput": {"artifactID!", "artifactManifestID", "name!", "md5!", "uploadPartsInput", "mimetype"},
	"UploadPartsInput":            {"partNumber!", "hexMD5!"},
	"CompleteMultipartUploadArtifactInput": {
		"completeMultipartAction!", "completedParts!", "artifactID!", "storagePath!", "uploadID!",
		"clientMutationId",
	},
	"CommitArtifactInput": {"artifactID!", "clientMutationId"},
	"UseArtifactInput": {
		"artifactID!", "entityName!", "projectName!", "runName!", "artifactEntityName", "artifactProjectName", "usedAs",
		"clientMutationId",
	},
}

// introspect describes a type to clients that ask what the server can do.
func (s *Server) introspect(a arguments) (any, error) {
	name := a.text("name")
	var fields, inputs []string
	switch name {
	case "Query", "Mutation":
		fields = slices.Sorted(maps.Keys(s.root()))
	case "ServerInfo":
		fields = slices.Sorted(maps.Keys(serverInfo()))
	case "Artifact":
		fields = slices.Sorted(maps.Keys(s.artifactObject(&artifact{})))
	case "Project":
		fields = slices.Sorted(maps.Keys(s.projectFields(Entity, "")))
	default:
		known := false
		if inputs, known = inputTypes[name]; !known {
			return object(nil), nil
		}
	}
	return object{"__typename": "__Type", "name": name, "fields": named(fields), "inputFields": named(inputs)}, nil
}

func named(names []string) []object {
	all := []object{}
	for _, name := range names {
		all = append(all, object{"__typename": "__Field", "name": strings.TrimSuffix(name, "!"), "args": []object{}})
	}
	return all
}
