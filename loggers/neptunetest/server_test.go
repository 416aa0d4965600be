package neptunetest_test

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/actually-robust-training/art/loggers/neptunetest"
)

// visitor is a client that knows nothing of the protocol.
type visitor struct {
	t      *testing.T
	s      *neptunetest.Server
	bearer string
	run    string
}

// signedIn has a token, and a run if it is asked for.
func signedIn(t *testing.T, run bool) *visitor {
	c := &visitor{t: t, s: neptunetest.NewServer(t)}
	status, body := c.do("GET", "/api/backend/v1/authorization/oauth-token", nil, "X-Neptune-Api-Token", c.s.Token())
	require.Equal(t, 200, status, body)
	c.bearer = field(t, body, "accessToken")
	if run {
		c.run = c.create("")
	}
	return c
}

func (c *visitor) create(customID string) string {
	_, project := c.do("GET", "/api/backend/v1/projects/get?projectIdentifier="+url.QueryEscape(neptunetest.Project), nil)
	id := field(c.t, project, "id")
	want := map[string]string{"projectIdentifier": id, "parentId": id, "type": "run"}
	if customID != "" {
		want["customId"] = customID
	}
	b, err := json.Marshal(want)
	require.NoError(c.t, err)
	status, body := c.do("POST", "/api/leaderboard/v1/experiments", b, "Content-Type", "application/json")
	require.Equal(c.t, 200, status, body)
	return field(c.t, body, "id")
}

func (c *visitor) do(method, path string, body []byte, headers ...string) (int, string) {
	r, err := http.NewRequestWithContext(c.t.Context(), method, c.s.URL+path, bytes.NewReader(body))
	require.NoError(c.t, err)
	if c.bearer != "" {
		r.Header.Set("Authorization", "Bearer "+c.bearer)
	}
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	got, err := http.DefaultClient.Do(r)
	if err != nil {
		return 0, err.Error()
	}
	defer got.Body.Close()
	b, err := io.ReadAll(got.Body)
	if err != nil {
		return got.StatusCode, err.Error()
	}
	return got.StatusCode, string(b)
}

// operations posts an array and returns what is wrong with its elements.
func (c *visitor) operations(array string) (int, string) {
	return c.do("POST", "/api/leaderboard/v1/attributes/operations?experimentId="+c.run, []byte(array), "Content-Type", "application/json")
}

func field(t *testing.T, body, name string) string {
	t.Helper()
	var got map[string]any
	require.NoError(t, json.Unmarshal([]byte(body), &got), body)
	return fmt.Sprint(got[name])
}

// What a server says of single operations comes with status 200, what is not an
// operation with 400, and then nothing is done.
func TestOperations(t *testing.T) {
	c := signedIn(t, true)
	ok := func(array string) {
		status, body := c.operations(array)
		assert.Equal(t, "200 []", fmt.Sprint(status, " ", body), array)
	}
	ok(`[]`)
	ok(`[{"path":"f","assignFloat":{"value":1}},{"path":"i","assignInt":{"value":2147483647}},{"path":"b","assignBool":{"value":false}}]`)
	ok(`[{"path":"s","assignString":{"value":""}},{"path":"d","assignDatetime":{"valueMilliseconds":0}}]`)
	ok(`[{"path":"l","logFloats":{"entries":[{"value":1,"step":0.5,"timestampMilliseconds":5},{"value":2,"timestampMilliseconds":5}]}}]`)
	ok(`[{"path":"t","insertStrings":{"values":["b","a","b"]}},{"path":"t","removeStrings":{"values":["b"]}}]`)
	ok(`[{"path":"x","assignFloat":{"value":1}},{"path":"x","deleteAttribute":{}},{"path":"x","assignString":{"value":"now text"}}]`)
	ok(`[{"path":"l","configFloatSeries":{"min":0,"unit":"%"}},{"path":"sys/failed","assignBool":{"value":true}}]`)
	ok(`[{"path":"p","logImages":{"entries":[{"value":{"data":"aGk=","name":"n"},"step":1,"timestampMilliseconds":5}]}}]`)
	for want, array := range map[string]string{
		"strictly increasing for series attribute: l. Invalid point: 1.0": `[{"path":"l","logFloats":{"entries":[{"value":1,"step":1,"timestampMilliseconds":5}]}}]`,
		"Invalid point: 1970-01-01T00:00:00.004Z":                         `[{"path":"l","logFloats":{"entries":[{"value":1,"step":9,"timestampMilliseconds":4}]}}]`,
		"on f, which has type float":                                      `[{"path":"f","assignInt":{"value":1}}]`,
		"series attribute t2 exceeded":                                    `[{"path":"t2","logStrings":{"entries":[{"value":"` + strings.Repeat("ß", 1001) + `","timestampMilliseconds":1}]}}]`,
		"length (16384) exceeded":                                         `[{"path":"s","assignString":{"value":"` + strings.Repeat("x", 16385) + `"}}]`,
		"there is no such field":                                          `[{"path":"none","deleteAttribute":{}}]`,
		"sys/id is managed":                                               `[{"path":"sys/id","assignString":{"value":"me"}}]`,
		"f/g cannot be a field: f is one":                                 `[{"path":"f/g","assignFloat":{"value":1}}]`,
	} {
		status, body := c.operations(array)
		assert.Equal(t, 200, status, body)
		assert.Contains(t, body, want)
		assert.Len(t, c.s.Errors(), 1)
	}
	for want, array := range map[string]string{
		"invalid character 'N'":                `[{"path":"f","assignFloat":{"value":NaN}}]`,
		"cannot unmarshal number 2147483648":   `[{"path":"f","assignInt":{"value":2147483648}}]`,
		"it has no path":                       `[{"assignFloat":{"value":1}}]`,
		"unknown operation \\\"AddStrings\\\"": `[{"path":"t","AddStrings":{"values":["a"]}}]`,
		"it has both":                          `[{"path":"f","assignFloat":{"value":1},"assignInt":{"value":1}}]`,
		"unknown field \\\"ts\\\"":             `[{"path":"l","logFloats":{"entries":[{"value":1,"ts":1.5}]}}]`,
		"has no timestampMilliseconds":         `[{"path":"l","logFloats":{"entries":[{"value":1,"step":5}]}}]`,
		"number 1.5":                           `[{"path":"l","logFloats":{"entries":[{"value":1,"timestampMilliseconds":1.5}]}}]`,
		"base64 without a prefix":              `[{"path":"p","logImages":{"entries":[{"value":{"data":"data:image/png;base64,aGk="},"timestampMilliseconds":5}]}}]`,
		"not JSON of the right kind":           `{"path":"f"}`,
	} {
		status, body := c.operations(`[{"path":"must not be","assignFloat":{"value":1}},` + strings.TrimPrefix(array, "["))
		if array[0] == '{' {
			status, body = c.operations(array)
		}
		assert.Equal(t, 400, status, body)
		assert.Contains(t, body, want)
	}
	status, _ := c.operations(`[{"path":"a//b","assignFloat":{"value":1}}]`)
	assert.Equal(t, 400, status)
	assert.Len(t, c.s.Violations(), 1)
	fields := c.s.Runs()[0].Fields
	assert.NotContains(t, fields, "must not be")
	assert.Equal(t, "now text", fields["x"].Value)
	assert.Equal(t, []string{"a"}, fields["t"].Strings)
	require.Len(t, fields["l"].Points, 2)
	assert.Equal(t, []float64{0.5, 1.5}, []float64{fields["l"].Points[0].Step, fields["l"].Points[1].Step})
}

// Good points beside bad ones are kept.
func TestSeriesKeepsGoodPoints(t *testing.T) {
	c := signedIn(t, true)
	status, body := c.operations(`[{"path":"l","logFloats":{"entries":[{"value":1,"step":1,"timestampMilliseconds":1},{"value":2,"step":1,"timestampMilliseconds":1},{"value":3,"step":2,"timestampMilliseconds":1}]}}]`)
	assert.Equal(t, 200, status)
	assert.Equal(t, 1, strings.Count(body, "errorDescription"))
	assert.Len(t, c.s.Runs()[0].Fields["l"].Points, 2)
}

func TestFieldLimit(t *testing.T) {
	c := signedIn(t, true)
	c.s.SetLimits(neptunetest.Limits{MaxFields: len(c.s.Runs()[0].Fields) + 1})
	status, body := c.operations(`[{"path":"one","assignFloat":{"value":1}},{"path":"two","assignFloat":{"value":1}}]`)
	assert.Equal(t, 422, status)
	assert.Contains(t, body, "ATTRIBUTES_PER_EXPERIMENT_LIMIT_EXCEEDED")
}

func TestSigningIn(t *testing.T) {
	c := signedIn(t, false)
	get := func(path string, headers ...string) int {
		status, _ := c.do("GET", path, nil, headers...)
		return status
	}
	const project = "/api/backend/v1/projects?searchTerm=ir"
	assert.Equal(t, 200, get(project))
	c.s.ExpireTokens(false)
	status, body := c.do("GET", project, nil)
	assert.Equal(t, 401, status)
	assert.Contains(t, body, "AUTHORIZATION_TOKEN_EXPIRED")

	old := c.bearer
	c.bearer = ""
	assert.Equal(t, 401, get(project))
	assert.Equal(t, 401, get("/api/backend/v1/clients/config?alpha=true", "X-Neptune-Api-Token", "wrong"))
	assert.Equal(t, 200, get("/api/backend/v1/clients/config?alpha=true", "X-Neptune-Api-Token", c.s.Token()))
	_, tokens := c.do("GET", "/api/backend/v1/authorization/oauth-token", nil, "X-Neptune-Api-Token", c.s.Token())
	refresh := func(form url.Values) (int, string) {
		return c.do("POST", "/auth/realms/neptune/protocol/openid-connect/token", []byte(form.Encode()), "Content-Type", "application/x-www-form-urlencoded;charset=UTF-8")
	}
	form := url.Values{"grant_type": {"refresh_token"}, "client_id": {"neptune-cli"}, "refresh_token": {field(t, tokens, "refreshToken")}}
	status, body = refresh(form)
	assert.Equal(t, 200, status)
	c.bearer = field(t, body, "access_token")
	assert.Equal(t, 200, get(project))
	c.s.ExpireTokens(true)
	status, body = refresh(form)
	assert.Equal(t, 400, status)
	assert.Contains(t, body, "invalid_grant")
	c.s.SetKey("another")
	assert.Equal(t, 401, get(project), old)
	assert.Empty(t, c.s.Violations())
	assert.Equal(t, 400, get(project, "X-Neptune-Api-Token", c.s.Token()))
	assert.Len(t, c.s.Violations(), 1, "the key belongs to signing in")
}

func TestRunsByCustomID(t *testing.T) {
	c := signedIn(t, false)
	one := c.create("mine")
	assert.Equal(t, one, c.create("mine"))
	assert.NotEqual(t, c.create(""), c.create(""))
	require.Len(t, c.s.Runs(), 3)
	_, body := c.do("GET", "/api/leaderboard/v1/experiments?experimentId="+url.QueryEscape("acme/iris/IR-1"), nil)
	assert.Equal(t, one, field(t, body, "id"))
	status, body := c.do("GET", "/api/leaderboard/v1/experiments?experimentId=IR-9", nil)
	assert.Equal(t, 404, status)
	assert.Equal(t, "EXPERIMENT_NOT_FOUND", field(t, body, "errorType"))
	status, body = c.do("POST", "/api/leaderboard/v1/leaderboard/entries/search?type=run&projectIdentifier="+url.QueryEscape(neptunetest.Project),
		[]byte("{\"query\":{\"query\":\"(`sys/custom_run_id`:string = \\\"mine\\\")\"},\"pagination\":{\"limit\":10,\"offset\":0}}"), "Content-Type", "application/json")
	assert.Equal(t, 200, status)
	assert.Contains(t, body, one)
	assert.Equal(t, "1", field(t, body, "matchingItemCount"))
	status, _ = c.do("POST", "/api/leaderboard/v1/attributes/ping?experimentId="+one, nil)
	assert.Equal(t, 200, status)
	assert.Equal(t, 1, c.s.Runs()[0].Pings)
}

func TestUploads(t *testing.T) {
	c := signedIn(t, true)
	c.s.SetLimits(neptunetest.Limits{MaxSinglePart: 10, MinChunk: 4, MaxChunk: 8, MaxChunks: 3})
	at := func(operation, more string) string {
		return "/api/leaderboard/v1/attributes/storage/" + operation + "?experimentIdentifier=" + c.run + "&attribute=a%2Fb" + more
	}
	post := func(want int, contains, path, body string, headers ...string) string {
		t.Helper()
		status, got := c.do("POST", path, []byte(body), headers...)
		assert.Equal(t, want, status, got)
		assert.Contains(t, got, contains)
		return got
	}
	post(400, "ext is missing", at("file/upload", ""), "x")
	post(415, "Unsupported Media Type", at("file/upload", "&ext="), "x", "Content-Type", "application/json")
	post(200, `"errors":[]`, at("file/upload", "&ext="), "")
	post(200, `"errors":[]`, at("file/upload", "&ext=pt"), "0123456789", "Content-Type", "application/octet-stream")
	post(400, "maxSinglePartSize", at("file/upload", "&ext=pt"), "0123456789x")
	id := field(t, post(200, `"errors":[]`, at("file/upload/start", "&ext=bin&totalLength=11"), ""), "uploadId")
	part := func(i int, span string) (string, string, string) {
		return at("file/upload/part", "&uploadId="+id+"&uploadPartIdx="+strconv.Itoa(i)), "X-Range", span
	}
	send := func(want int, contains string, i int, span, body string) {
		t.Helper()
		path, name, value := part(i, span)
		post(want, contains, path, body, name, value)
	}
	send(400, "not like bytes=", 0, "bytes 0-4/11", "01234")
	send(400, "Length of stream does not match given range", 0, "bytes=0-5/11", "01234")
	send(400, "begun with 11", 0, "bytes=0-4/12", "01234")
	send(400, "minChunkSize", 0, "bytes=0-2/11", "012")
	send(400, "maxChunkCount", 3, "bytes=0-4/11", "01234")
	send(200, `"errors":[]`, 0, "bytes=0-4/11", "01234")
	send(200, `"errors":[]`, 0, "bytes=0-4/11", "abcde")
	post(400, "5 of 11 bytes", at("file/upload/finish", "&uploadId="+id), "")
	send(200, `"errors":[]`, 2, "bytes=9-10/11", "jk")
	post(400, "part 1 is missing", at("file/upload/finish", "&uploadId="+id), "")
	send(200, `"errors":[]`, 1, "bytes=5-8/11", "fghi")
	post(400, "ext, which belongs to the start", at("file/upload/finish", "&ext=bin&uploadId="+id), "")
	post(200, `"errors":[]`, at("file/upload/finish", "&uploadId="+id), "")
	post(404, "no upload", at("file/upload/finish", "&uploadId="+id), "")
	file := c.s.Runs()[0].Fields["a/b"]
	assert.Equal(t, "bin abcdefghijk", file.Ext+" "+string(file.Content))
	post(400, "subPath is missing", at("fileset/upload", ""), "x")
	post(200, "which has type file", at("fileset/upload", "&subPath=x"), "x")
	assert.Len(t, c.s.Errors(), 1)
	assert.Len(t, c.s.Violations(), 3)

	tarAt := "/api/leaderboard/v1/attributes/uploadFileSetTar?experimentId=" + c.run + "&attribute=set&reset="
	post(200, `"errors":[]`, tarAt+"True", packed(t, "a.txt", "dir/b.txt"))
	post(200, `"errors":[]`, tarAt+"false", packed(t, "c"))
	assert.Len(t, c.s.Runs()[0].Fields["set"].Files, 3)
	post(400, "not a relative path", tarAt+"True", packed(t, "../a"))
	post(400, "not gzip", tarAt+"True", "x")
	post(400, "neither True nor False", tarAt, packed(t, "a"))
}

func packed(t *testing.T, names ...string) string {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	w := tar.NewWriter(z)
	for _, name := range names {
		require.NoError(t, w.WriteHeader(&tar.Header{Name: name, Typeflag: tar.TypeReg, Mode: 0o644, Size: int64(len(name))}))
		_, err := io.WriteString(w, name)
		require.NoError(t, err)
	}
	require.NoError(t, w.Close())
	require.NoError(t, z.Close())
	return b.String()
}

func TestFaults(t *testing.T) {
	c := signedIn(t, true)
	c.s.KeepBodies()
	const one = `[{"path":"n","insertStrings":{"values":["x"]}}]`
	c.s.Inject(neptunetest.Fault{Operation: "operations", After: 1, Times: 1, Status: 429, Header: map[string]string{"Retry-After": "7"}, Body: "busy"})
	c.s.Inject(neptunetest.Fault{Operation: "operations", After: 1, Times: 1, Reset: true})
	c.s.Inject(neptunetest.Fault{Operation: "operations", After: 1, Times: 1, Lose: true})
	c.s.Inject(neptunetest.Fault{Operation: "operations", After: 1, Times: 1, Cut: true})
	for i, want := range []string{"200 []", "429 busy", "0 ", "0 ", "200 "} {
		status, body := c.operations(one)
		assert.True(t, strings.HasPrefix(fmt.Sprint(status, " ", body), want), "%d: %d %s", i, status, body)
	}
	c.s.Inject(neptunetest.Fault{Delay: 20 * time.Millisecond})
	begin := time.Now()
	status, _ := c.operations(one)
	assert.Equal(t, 200, status)
	assert.GreaterOrEqual(t, time.Since(begin), 20*time.Millisecond)
	c.s.Recover()
	last := c.s.Requests()[len(c.s.Requests())-1]
	assert.Equal(t, []any{"operations", 200, one}, []any{last.Operation, last.Status, string(last.Body)})
}

// fake is a test that only notes what it is told.
type fake struct {
	errors  []string
	cleanup []func()
}

func (f *fake) Helper()           {}
func (f *fake) Cleanup(do func()) { f.cleanup = append(f.cleanup, do) }
func (f *fake) Errorf(format string, args ...any) {
	f.errors = append(f.errors, fmt.Sprintf(format, args...))
}

// A violation that nobody looked at fails the test.
func TestViolationsFailTheTest(t *testing.T) {
	f := &fake{}
	s := neptunetest.NewServer(f)
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.StorageURL+"/object?signature=none", nil)
	require.NoError(t, err)
	r.Header.Set("Authorization", "Bearer x")
	got, err := http.DefaultClient.Do(r)
	require.NoError(t, err)
	got.Body.Close()
	assert.Equal(t, 403, got.StatusCode)
	for _, do := range f.cleanup {
		do()
	}
	assert.Equal(t, []string{"the Neptune protocol was violated: the header Authorization was sent to the host of signed addresses"}, f.errors)
}
