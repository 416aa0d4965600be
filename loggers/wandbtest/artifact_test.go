package wandbtest_test

import (
	"crypto/md5"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func md5Of(text string) string {
	sum := md5.Sum([]byte(text))
	return base64.StdEncoding.EncodeToString(sum[:])
}

// ask runs a document and decodes what is at the path of its answer.
func (w wire) ask(query string, variables map[string]any, path ...string) map[string]any {
	w.Helper()
	status, answer := w.graphql(query, variables)
	require.Equal(w, 200, status, answer)
	var got map[string]any
	require.NoError(w, json.Unmarshal([]byte(answer), &got))
	for _, name := range append([]string{"data"}, path...) {
		got, _ = got[name].(map[string]any)
	}
	return got
}

const (
	createQuery   = `mutation CreateArtifact($input:CreateArtifactInput!) { createArtifact(input:$input) { artifact { id state artifactSequence { latestArtifact { id } } } } }`
	manifestQuery = `mutation M($a:ID!,$d:String!,$up:Boolean!) { createArtifactManifest(input:{artifactID:$a,name:"wandb_manifest.json",digest:$d,entityName:"acme",projectName:"demo",
		runName:"r1",type:FULL}) { artifactManifest { id file { uploadUrl @include(if:$up) uploadHeaders @include(if:$up) } } } }`
	filesQuery  = `mutation F($s:[CreateArtifactFileSpecInput!]!) { createArtifactFiles(input:{artifactFiles:$s,storageLayout:V2}) { files { edges { node { uploadUrl uploadHeaders artifact { id } } } } } }`
	commitQuery = `mutation C($a:ID!) { commitArtifact(input:{artifactID:$a}) { artifact { id digest } } }`
)

func input(change map[string]any) map[string]any {
	in := map[string]any{
		"entityName": "acme", "projectName": "demo", "runName": "r1", "artifactTypeName": "model", "artifactCollectionName": "ckpt",
		"digest": "bf77a243672763f222c10f8ff28008bd", "digestAlgorithm": "MANIFEST_MD5", "enableDigestDeduplication": true,
		"aliases": []any{map[string]any{"artifactCollectionName": "ckpt", "alias": "latest"}}, "clientID": "c", "sequenceClientID": "s",
	}
	maps.Copy(in, change)
	return map[string]any{"input": in}
}

// version makes one of hello\n; spoil changes what is told on the way.
func (w wire) version(spoil string) (status int, answer string) {
	w.Helper()
	id := w.ask(createQuery, input(nil), "createArtifact", "artifact")["id"].(string)
	manifest := w.ask(manifestQuery, map[string]any{"a": id, "d": "", "up": false}, "createArtifactManifest", "artifactManifest")["id"]
	spec := map[string]any{"artifactID": id, "artifactManifestID": manifest, "name": "model.bin", "md5": md5Of("hello\n")}
	files := w.ask(filesQuery, map[string]any{"s": []any{spec}}, "createArtifactFiles", "files")
	node := files["edges"].([]any)[0].(map[string]any)["node"].(map[string]any)
	content := "hello\n"
	if spoil == "bytes" {
		content = "other\n"
	}
	if url, ok := node["uploadUrl"].(string); ok && spoil != "no file" {
		status, answer := w.do("PUT", url, content, "Content-MD5", md5Of("hello\n"), "Content-Type", "application/octet-stream")
		if spoil == "bytes" {
			return status, answer
		}
		require.Equal(w, 200, status, answer)
	}
	text := fmt.Sprintf(`{"version":1,"storagePolicy":"wandb-storage-policy-v1","storagePolicyConfig":{"storageLayout":"V2"},"contents":{"model.bin":{"digest":%q,"size":6,"birthArtifactID":%q}}}`,
		md5Of("hello\n"), id)
	for _, change := range [][3]string{{"size", `"size":6`, `"size":7`}, {"digest", md5Of("hello\n"), md5Of("x")}, {"birth", id, ""}, {"layout", "V2", "V1"}} {
		if spoil == change[0] {
			text = strings.Replace(text, change[1], change[2], 1)
		}
	}
	file := w.ask(manifestQuery, map[string]any{"a": id, "d": md5Of(text), "up": true}, "createArtifactManifest", "artifactManifest", "file")
	if spoil != "no manifest" {
		status, answer = w.do("PUT", file["uploadUrl"].(string), text, "Content-MD5", md5Of(text), "Content-Type", "application/json")
		require.Equal(w, 200, status, answer)
	}
	return w.graphql(commitQuery, map[string]any{"a": id})
}

func TestArtifacts(t *testing.T) {
	w := begin(t)
	for spoil, want := range map[string]string{
		"bytes": "BadDigest", "no file": "was not uploaded", "size": "is not what the manifest says", "digest": "is not what the manifest says",
		"birth": "has no birthArtifactID", "layout": `layout \"V1\"`, "no manifest": "the manifest is not there",
	} {
		status, answer := w.version(spoil)
		assert.Equal(t, 400, status, spoil)
		assert.Contains(t, answer, want, spoil)
		assert.Empty(t, w.s.Artifacts())
	}
	assert.Len(t, w.s.Violations(), 6)

	status, answer := w.version("")
	require.Equal(t, 200, status, answer)
	assert.Contains(t, answer, "bf77a243672763f222c10f8ff28008bd")
	again := w.ask(createQuery, input(map[string]any{"aliases": []any{map[string]any{"artifactCollectionName": "ckpt", "alias": "best"}}}), "createArtifact", "artifact")
	assert.Equal(t, "COMMITTED", again["state"])
	require.Len(t, w.s.Artifacts(), 1)
	assert.Equal(t, []string{"latest", "best"}, w.s.Artifacts()[0].Aliases)
	assert.NotEmpty(t, w.s.Manifest(w.s.Artifacts()[0].ID)["contents"])

	for want, change := range map[string]map[string]any{
		"must be 128 characters or less": {"artifactCollectionName": strings.Repeat("x", 129)},
		"invalid artifact name a/b":      {"artifactCollectionName": "a/b"},
		"is of type model, not data":     {"artifactTypeName": "data"},
		"permission denied":              {"entityName": "else"},
		"run not found":                  {"runName": "r9"},
		"digest algorithm":               {"digestAlgorithm": "MANIFEST_SHA"},
		"invalid alias":                  {"aliases": []any{map[string]any{"artifactCollectionName": "ckpt", "alias": "v3"}}},
		"at most 100 keys":               {"metadata": "[]"},
		"have to be given":               {"clientID": nil},
		"is not defined by type":         {"color": "red"},
		"of required type was not":       {"digest": nil},
	} {
		status, answer := w.graphql(createQuery, input(change))
		assert.GreaterOrEqual(t, status, 400, want)
		assert.Contains(t, answer, want)
	}
	assert.Len(t, w.s.Violations(), 1)
}
