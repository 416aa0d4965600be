package wandbtest

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"strings"

	"github.com/actually-robust-training/art/internal/faults"
)

// Fault is trouble that the server makes. Operations are those of GraphQL, like
// "UpsertBucket", "file_stream", and "PUT" and "GET" of the object store.
type Fault = faults.Fault

// Request is one that the server got.
type Request = faults.Request

// operationOf reads the request, for a GraphQL operation is named in its body.
func operationOf(r *http.Request) (name string, ok bool) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return "", false
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	return nameOf(r, body), true
}

func nameOf(r *http.Request, body []byte) string {
	switch {
	case strings.HasSuffix(r.URL.Path, "/file_stream"):
		return "file_stream"
	case r.URL.Path != "/graphql":
		return r.Method
	}
	var e envelope
	if json.Unmarshal(body, &e) != nil {
		return ""
	}
	if e.OperationName != "" {
		return e.OperationName
	}
	d, err := parse(e.Query)
	if err != nil {
		return ""
	}
	if name := d.operations[0].name; name != "" || len(d.operations[0].selection) == 0 {
		return name
	}
	return d.operations[0].selection[0].name
}
