package neptunetest

import (
	"net/http"
	"path"

	"github.com/actually-robust-training/art/internal/faults"
)

// Fault is trouble that the server makes. Operations are the last parts of paths,
// like "operations", "experiments", "ping", "upload", "part", "oauth-token", "token".
type Fault = faults.Fault

// Request is one that the server got.
type Request = faults.Request

func operationOf(r *http.Request) (name string, ok bool) { return path.Base(r.URL.Path), true }
