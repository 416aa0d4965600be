package wandbtest_test

import (
	"crypto/md5"
	"encoding/hex"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const (
	partsQuery = `mutation F($s:[CreateArtifactFileSpecInput!]!) { createArtifactFiles(input:{artifactFiles:$s,storageLayout:V2}) { files { edges { node {
 storagePath uploadUrl uploadMultipartUrls { uploadID uploadUrlParts { partNumber uploadUrl } } } } } } }`
	completeQuery = `mutation M($p:[UploadPartsInput!]!,$a:ID!,$s:String!,$u:String!) {
 completeMultipartUploadArtifact(input:{completeMultipartAction:Complete,completedParts:$p,artifactID:$a,storagePath:$s,uploadID:$u}) { digest } }`
)

func hexMD5(text string) string {
	sum := md5.Sum([]byte(text))
	return hex.EncodeToString(sum[:])
}

// assemble sends a file in two parts and has them put together; spoil changes what is
// told on the way.
func (w wire) assemble(spoil string) (status int, answer string) {
	w.Helper()
	contents := []string{strings.Repeat("a", 6000), "b"}
	if spoil == "small" {
		contents[0] = "a"
	}
	id := w.ask(createQuery, input(nil), "createArtifact", "artifact")["id"].(string)
	manifest := w.ask(manifestQuery, map[string]any{"a": id, "d": "", "up": false}, "createArtifactManifest", "artifactManifest")["id"]
	var parts []any
	for i, c := range contents {
		parts = append(parts, map[string]any{"partNumber": i + 1, "hexMD5": hexMD5(c)})
	}
	switch spoil {
	case "number":
		parts[0].(map[string]any)["partNumber"] = 0
	case "sum":
		parts[0].(map[string]any)["hexMD5"] = md5Of("a")
	case "none":
		parts = []any{}
	}
	spec := map[string]any{"artifactID": id, "artifactManifestID": manifest, "name": "model.bin", "md5": md5Of(strings.Join(contents, "")), "uploadPartsInput": parts}
	if status, answer = w.graphql(partsQuery, map[string]any{"s": []any{spec}}); status != 200 {
		return status, answer
	}
	node := w.ask(partsQuery, map[string]any{"s": []any{spec}}, "createArtifactFiles", "files")["edges"].([]any)[0].(map[string]any)["node"].(map[string]any)
	require.NotNil(w, node["uploadUrl"], "without it the store has the file")
	upload := node["uploadMultipartUrls"].(map[string]any)
	for i, v := range upload["uploadUrlParts"].([]any) {
		if spoil == "missing" && i == 1 {
			continue
		}
		body := contents[i]
		if spoil == "bytes" {
			body += "!"
		}
		status, answer := w.do("PUT", v.(map[string]any)["uploadUrl"].(string), body, "Content-MD5", md5Of(contents[i]), "Content-Type", "application/octet-stream")
		if status != 200 {
			return status, answer
		}
		parts[i].(map[string]any)["hexMD5"] = `"` + hexMD5(contents[i]) + `"`
		if spoil == "etag" {
			parts[i].(map[string]any)["hexMD5"] = hexMD5(contents[i])
		}
	}
	variables := map[string]any{"p": parts, "a": id, "s": node["storagePath"], "u": upload["uploadID"]}
	switch spoil {
	case "path":
		variables["s"] = "elsewhere"
	case "one":
		variables["p"] = parts[:1]
	}
	return w.graphql(completeQuery, variables)
}

func TestParts(t *testing.T) {
	w := begin(t)
	for spoil, want := range map[string]string{
		"number": "has number 0", "sum": "hexMD5", "none": "has 0 parts", "missing": "part 2 was not sent", "bytes": "BadDigest", "etag": "has the ETag",
		"small": "the store wants", "path": "upload not found", "one": "with 1 of 2 parts",
	} {
		status, answer := w.assemble(spoil)
		assert.GreaterOrEqual(t, status, 400, spoil)
		assert.Contains(t, answer, want, spoil)
	}
	assert.Len(t, w.s.Violations(), 7)
	status, answer := w.assemble("")
	assert.Equal(t, 200, status, answer)
	assert.Empty(t, w.s.Violations())
}
