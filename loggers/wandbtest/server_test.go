package wandbtest_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/actually-robust-training/art/loggers/wandbtest"
)

// wire speaks to a server without any client.
type wire struct {
	*testing.T
	s *wandbtest.Server
}

func (w wire) do(method, url, body string, header ...string) (status int, answer string) {
	w.Helper()
	r, err := http.NewRequestWithContext(w.Context(), method, url, strings.NewReader(body))
	require.NoError(w, err)
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	got, err := http.DefaultClient.Do(r)
	if err != nil {
		return 0, err.Error()
	}
	defer got.Body.Close()
	b, err := io.ReadAll(got.Body)
	if err != nil {
		return 0, err.Error()
	}
	return got.StatusCode, string(b)
}

func (w wire) graphql(query string, variables map[string]any) (int, string) {
	w.Helper()
	b, err := json.Marshal(map[string]any{"query": query, "variables": variables})
	require.NoError(w, err)
	r, err := http.NewRequestWithContext(w.Context(), http.MethodPost, w.s.URL+"/graphql", bytes.NewReader(b))
	require.NoError(w, err)
	r.SetBasicAuth("api", w.s.Key())
	got, err := http.DefaultClient.Do(r)
	require.NoError(w, err)
	defer got.Body.Close()
	answer, err := io.ReadAll(got.Body)
	require.NoError(w, err)
	return got.StatusCode, string(answer)
}

const upsert = `mutation UpsertBucket($name:String,$project:String,$entity:String,$config:JSONString,$tags:[String!],$jobType:String,$displayName:String){
 upsertBucket(input:{name:$name,modelName:$project,entityName:$entity,config:$config,tags:$tags,jobType:$jobType,displayName:$displayName}){
  inserted bucket{name displayName historyLineCount project{name entity{name}}}}}`

func (w wire) stream(id, body string) (int, string) {
	w.Helper()
	r, err := http.NewRequestWithContext(w.Context(), http.MethodPost, w.s.URL+"/files/acme/demo/"+id+"/file_stream", strings.NewReader(body))
	require.NoError(w, err)
	r.SetBasicAuth("api", w.s.Key())
	got, err := http.DefaultClient.Do(r)
	require.NoError(w, err)
	defer got.Body.Close()
	answer, err := io.ReadAll(got.Body)
	require.NoError(w, err)
	return got.StatusCode, string(answer)
}

func begin(t *testing.T) wire {
	w := wire{t, wandbtest.NewServer(t)}
	status, answer := w.graphql(upsert, map[string]any{"name": "r1", "project": "demo"})
	require.Equal(t, 200, status, answer)
	assert.JSONEq(t, `{"data":{"upsertBucket":{"inserted":true,"bucket":{"name":"r1","displayName":"brave-cloud-1","historyLineCount":0,
		"project":{"name":"demo","entity":{"name":"acme"}}}}}}`, answer)
	return w
}

func TestGraphQL(t *testing.T) {
	w := begin(t)
	w.s.DeleteRun("gone")
	for _, c := range []struct {
		name, query string
		variables   map[string]any
		status      int
		want        string
	}{
		{"anonymous", `{ viewer { id } }`, nil, 200, `{"data":{"viewer":{"id":"VXNlcjox"}}}`},
		{"alias, fragment, comment", "query Q { # who\n me: viewer { ...F } } fragment F on User { entity @include(if: true) email @skip(if: true) }", nil, 200, `{"data":{"me":{"entity":"acme"}}}`},
		{"unknown field", `{ viewer { hat } }`, nil, 400, `Cannot query field \"hat\" on type \"User\".`},
		{"unknown argument", `{ viewer(size: 3) { id } }`, nil, 400, `Unknown argument \"size\"`},
		{"unknown mutation", `mutation { eatBucket { id } }`, nil, 400, `Cannot query field \"eatBucket\"`},
		{"no selection", `{ viewer }`, nil, 400, "must have a selection"},
		{"selection of a leaf", `{ viewer { id { x } } }`, nil, 400, "must not have a selection"},
		{"undeclared variable", `{ project(name: $p) { name } }`, nil, 400, "is not defined"},
		{"missing variable", `query Q($p: String!) { project(name: $p) { name } }`, nil, 400, "Expected non-nullable type String!"},
		{"wrong type", `query Q($p: String!) { project(name: $p) { name } }`, map[string]any{"p": 3}, 400, "String cannot represent 3"},
		{"unknown fragment", `{ viewer { ...G } }`, nil, 400, `Unknown fragment \"G\"`},
		{"unknown input", `mutation { upsertBucket(input: {colour: "red"}) { inserted } }`, nil, 400, `Field \"colour\" is not defined`},
		{"broken", `query Q { viewer { id }`, nil, 400, "Syntax Error"},
		{"strange", `query Q { viewer { % } }`, nil, 400, "Syntax Error"},
		{"nothing", ``, nil, 400, "Must provide an operation"},
		{"again", upsert, map[string]any{"name": "r1", "project": "demo", "displayName": "x"}, 200, `"inserted":false`},
		{"foreign entity", upsert, map[string]any{"name": "r1", "project": "demo", "entity": "else"}, 403, `"code":"PERMISSION_ERROR"`},
		{"bad id", upsert, map[string]any{"name": "a/b", "project": "demo"}, 400, "invalid run id"},
		{"bad project", upsert, map[string]any{"name": "r2", "project": "a/b"}, 400, "invalid project name"},
		{"long tag", upsert, map[string]any{"name": "r2", "tags": []string{strings.Repeat("x", 65)}}, 400, "must be between 1 and 64 characters"},
		{"tags that are none", upsert, map[string]any{"name": "r2", "tags": "a,b"}, 400, "cannot represent a,b"},
		{"long job type", upsert, map[string]any{"name": "r2", "jobType": strings.Repeat("x", 65)}, 400, "64 characters or less"},
		{"config that is no string", upsert, map[string]any{"name": "r2", "config": map[string]any{}}, 400, "JSONString cannot represent"},
		{"large config", upsert, map[string]any{"name": "r2", "config": `{"a":{"value":"` + strings.Repeat("x", 15<<20) + `"}}`}, 400, "run config cannot exceed 15 MB"},
		{"files of no run", `mutation { createRunFiles(input:{entityName:"acme",projectName:"demo",runName:"r9",files:["a"]}) { runID } }`, nil, 404, "run not found"},
		{"no artifact", `{ project(name:"demo") { artifactCollectionMembership(name:"a:latest") { versionIndex } } }`, nil, 200, `"artifactCollectionMembership":null`},
	} {
		t.Run(c.name, func(t *testing.T) {
			status, answer := wire{t, w.s}.graphql(c.query, c.variables)
			assert.Equal(t, c.status, status, answer)
			assert.Contains(t, answer, c.want)
		})
	}
	assert.Empty(t, w.s.Violations())
	_, _ = w.graphql(upsert, map[string]any{"name": "r2", "config": `{"lr": 0.1}`})
	assert.Len(t, w.s.Violations(), 1)
	w.s.DeleteRun("r1")
	status, answer := w.graphql(upsert, map[string]any{"name": "r1", "project": "demo"})
	assert.Equal(t, 409, status, answer)
}

func row(step int) string { return fmt.Sprintf(`"{\"_step\":%d,\"loss\":NaN}"`, step) }

func TestStream(t *testing.T) {
	history := func(offset int, rows ...string) string {
		return fmt.Sprintf(`{"files":{"wandb-history.jsonl":{"offset":%d,"content":[%s]}}}`, offset, strings.Join(rows, ","))
	}
	for _, c := range []struct {
		name, body, violation string
	}{
		{"next", history(2, row(7)), ""},
		{"again", history(1, row(5), row(6)), ""},
		{"heartbeat", `{}`, ""},
		{"older style", `{"complete":false,"failed":false,"dropped":0}`, ""},
		{"summary", `{"files":{"wandb-summary.json":{"offset":0,"content":["{\"up\":-Infinity,\"s\":\"Infinity \\\"NaN\\\"\"}"]}}}`, ""},
		{"gap", history(3, row(7)), "offset 3 leaves a gap after the 2 lines"},
		{"same step", history(2, row(5)), "_step 5 is not after 5"},
		{"older step", history(2, row(4)), "_step 4 is not after 5"},
		{"other content", history(1, row(6)), "comes again and differs"},
		{"no step", history(2, `"{}"`), `_step "" is not a whole number`},
		{"decimal step", history(2, `"{\"_step\":7.0}"`), `_step "7.0" is not a whole number`},
		{"no object", history(2, `"[7]"`), "is not a JSON object"},
		{"object instead of a string", history(2, `{"_step":7}`), "cannot be read"},
		{"no offset", `{"files":{"output.log":{"content":["x"]}}}`, "there is no offset"},
		{"newline", `{"files":{"output.log":{"offset":0,"content":["x\n"]}}}`, "has a newline"},
		{"offset of the summary", `{"files":{"wandb-summary.json":{"offset":1,"content":["{}"]}}}`, "it has to be 0"},
		{"unknown key", `{"done":true}`, "cannot be read"},
		{"file that is not there", `{"uploaded":["a.png"]}`, "which is not there"},
		{"no exit code", `{"complete":true}`, "complete without exitcode"},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := begin(t)
			status, answer := w.stream("r1", history(0, row(0), row(5)))
			require.Equal(t, 200, status, answer)
			status, answer = w.stream("r1", c.body)
			if c.violation == "" {
				assert.Equal(t, 200, status, answer)
				return
			}
			assert.Equal(t, 400, status)
			assert.Contains(t, strings.Join(w.s.Violations(), "\n"), c.violation)
			assert.Len(t, w.s.Run("r1").History, 2, "a request that is refused has no effect")
		})
	}
}

func TestStreamEnds(t *testing.T) {
	w := begin(t)
	status, _ := w.stream("r9", `{}`)
	assert.Equal(t, 404, status)
	w.s.StopRun("r1")
	_, answer := w.stream("r1", `{}`)
	assert.Contains(t, answer, `"stopped":true`)
	for range 2 { // the answer may have been lost
		status, _ = w.stream("r1", `{"complete":true,"exitcode":1}`)
		assert.Equal(t, 200, status)
	}
	assert.Equal(t, "failed", w.s.Run("r1").State)
	assert.Equal(t, 1, w.s.Run("r1").Heartbeats)
	status, _ = w.stream("r1", `{}`)
	assert.Equal(t, 400, status)
	assert.Len(t, w.s.Violations(), 1)
	status, answer = wire{t, w.s}.do("POST", w.s.URL+"/files/acme/demo/r1/file_stream", `{}`, "Authorization", "Basic "+"eDp5")
	assert.Equal(t, 401, status)
	assert.Contains(t, answer, "user is not logged in")
}

// file asks for the address of a file of the run.
func (w wire) file(name string) string {
	w.Helper()
	_, answer := w.graphql(`mutation F($files:[String!]!){ createRunFiles(input:{entityName:"acme",projectName:"demo",runName:"r1",files:$files}){ uploadHeaders files{ name uploadUrl } } }`,
		map[string]any{"files": []string{name}})
	var got struct {
		Data struct {
			CreateRunFiles struct{ Files []struct{ UploadURL string } }
		}
	}
	require.NoError(w, json.Unmarshal([]byte(answer), &got))
	require.Len(w, got.Data.CreateRunFiles.Files, 1, answer)
	return got.Data.CreateRunFiles.Files[0].UploadURL
}

func TestStorage(t *testing.T) {
	w := begin(t)
	url := w.file("media/a.txt")
	assert.True(t, strings.HasPrefix(url, w.s.StorageURL))
	assert.NotEqual(t, w.s.URL, w.s.StorageURL, "another host")
	status, answer := w.do("PUT", url, "bytes")
	require.Equal(t, 200, status, answer)
	assert.Equal(t, map[string][]byte{"media/a.txt": []byte("bytes")}, w.s.Run("r1").Files)
	for _, c := range []struct {
		name, method, url, want string
		header                  []string
		violations              int
	}{
		{"altered", "PUT", url + "x", "SignatureDoesNotMatch", nil, 0},
		{"other method", "GET", url, "SignatureDoesNotMatch", nil, 0},
		{"key", "PUT", url, "Only one auth mechanism allowed", []string{"Authorization", "Basic eDp5"}, 1},
		{"type", "PUT", url, "Content-Type is not signed", []string{"Content-Type", "text/plain"}, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, answer := wire{t, w.s}.do(c.method, c.url, "other", c.header...)
			assert.Contains(t, answer, c.want)
			assert.Len(t, w.s.Violations(), c.violations)
		})
	}
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPut, url, io.MultiReader(strings.NewReader("of unknown length")))
	require.NoError(t, err)
	got, err := http.DefaultClient.Do(r)
	require.NoError(t, err)
	require.NoError(t, got.Body.Close())
	assert.Equal(t, http.StatusNotImplemented, got.StatusCode)
	assert.Len(t, w.s.Violations(), 1)
	w.s.ExpireURLs()
	_, answer = w.do("PUT", url, "late")
	assert.Contains(t, answer, "Request has expired")
	for _, name := range []string{"../a", "/a", "a/../../b", "a\\b"} {
		_, answer = w.graphql(`mutation F($files:[String!]!){ createRunFiles(input:{entityName:"acme",projectName:"demo",runName:"r1",files:$files}){ runID } }`,
			map[string]any{"files": []string{name}})
		assert.Contains(t, answer, "is not a path inside of the run")
	}
	assert.Len(t, w.s.Violations(), 4)
}

func TestFaults(t *testing.T) {
	w := begin(t)
	w.s.Inject(wandbtest.Fault{Operation: "file_stream", Times: 2, Status: 429, Header: map[string]string{"Retry-After": "0.5"}, Body: "rate limit exceeded"})
	status, _ := w.graphql(`{ viewer { id } }`, nil)
	assert.Equal(t, 200, status, "another operation")
	for _, want := range []int{429, 429, 200} {
		status, _ = w.stream("r1", `{}`)
		assert.Equal(t, want, status)
	}
	line := `{"files":{"wandb-history.jsonl":{"offset":0,"content":[` + row(0) + `]}}}`
	for _, c := range []struct {
		fault wandbtest.Fault
		rows  int
	}{{wandbtest.Fault{Drop: true}, 0}, {wandbtest.Fault{Lose: true}, 1}, {wandbtest.Fault{Cut: true}, 1}} {
		w.s.Inject(c.fault)
		request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, w.s.URL+"/files/acme/demo/r1/file_stream", strings.NewReader(line))
		require.NoError(t, err)
		request.SetBasicAuth("api", w.s.Key())
		got, err := http.DefaultClient.Do(request)
		if err == nil {
			_, err = io.ReadAll(got.Body)
			require.NoError(t, got.Body.Close())
		}
		assert.Error(t, err)
		assert.Len(t, w.s.Run("r1").History, c.rows)
		w.s.Recover()
	}
	w.s.Inject(wandbtest.Fault{Delay: 30 * time.Millisecond, Times: 1})
	at := time.Now()
	_, _ = w.stream("r1", `{}`)
	assert.GreaterOrEqual(t, time.Since(at), 30*time.Millisecond)
	w.s.SetKey("another")
	requests := w.s.Requests()
	assert.Equal(t, "file_stream", requests[len(requests)-1].Operation)
	assert.Equal(t, "another", w.s.Key())
}
