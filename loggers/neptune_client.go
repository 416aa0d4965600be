package loggers

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/go-resty/resty/v2"
)

// neptune is a server that speaks the REST interface of Neptune 2.x, as the
// official client, neptune 1.14, uses it.
//
// What is sent twice counts once: fields and files by their path, runs by the id that
// the client gives them, points by their step, which increases in a series: the
// server takes no point at a step that is there. So the steps of a batch that may have
// been sent before must be those of the first time; the last step of each series before
// the batch is kept with the position.
type neptune struct {
	rest    *rest
	session *neptuneSession
	address string
	found   func(id, page string) // may be nil
	config  *neptuneConfig        // nil until the server has been asked
}

const (
	neptuneBackend     = "/api/backend/v1/"
	neptuneLeaderboard = "/api/leaderboard/v1/"
)

// neptuneConfig is what the server says to begin with.
type neptuneConfig struct {
	APIURL         string `json:"apiUrl"`
	ApplicationURL string `json:"applicationUrl"`
	Multipart      *struct {
		Enabled       bool  `json:"enabled"`
		MinChunk      int64 `json:"minChunkSize"`
		MaxChunk      int64 `json:"maxChunkSize"`
		MaxChunks     int64 `json:"maxChunkCount"`
		MaxSinglePart int64 `json:"maxSinglePartSize"`
	} `json:"multiPartUpload"`
	Security json.RawMessage `json:"security"`
}

// neptuneDestination is the server that a target names; the token is in the
// environment.
func neptuneDestination(target map[string]string) (string, destination, error) {
	n, err := newNeptune(readList(target["hosts"]))
	if err != nil {
		return "", nil, err
	}
	if want := target["address"]; want != "" && want != n.address {
		return "", nil, fmt.Errorf("the run belongs to %s, and the token in %s is of %s", want, neptuneTokenVariable, n.address)
	}
	if target["project"] == "" && os.Getenv("NEPTUNE_PROJECT") == "" {
		return "", nil, errors.New("there is no project: set NEPTUNE_PROJECT, or Neptune.Project, to workspace/name")
	}
	return "Neptune at " + n.address, n, nil
}

func newNeptune(hosts []string) (*neptune, error) {
	key, err := readNeptuneToken(os.Getenv(neptuneTokenVariable))
	if err != nil {
		return nil, err
	}
	r := newREST(key.address, nil)
	if os.Getenv("NEPTUNE_ALLOW_SELF_SIGNED_CERTIFICATE") != "" {
		r.client.SetTLSClientConfig(&tls.Config{InsecureSkipVerify: true}) // the user asked for it
	}
	r.client.SetPreRequestHook(func(_ *resty.Client, req *http.Request) error {
		if req.ContentLength <= 0 { // all bodies here are of a known length, so there is none
			req.Body, req.ContentLength = http.NoBody, 0 // else it would be sent in chunks
		}
		return nil
	})
	s := &neptuneSession{key: key, rest: r, trusts: trustedHosts(key.address, hosts)}
	return &neptune{rest: r, session: s, address: key.address}, nil
}

// connect asks the server where its interface is, once.
func (n *neptune) connect(ctx context.Context) error {
	if n.config != nil {
		return nil
	}
	var c neptuneConfig
	a, err := n.rest.do(ctx, requestTimeout, http.MethodGet, neptuneBackend+"clients/config", func(r *resty.Request) {
		r.SetQueryParam("alpha", "true").SetHeader(neptuneTokenHeader, n.session.key.whole()).SetHeader("X-Neptune-LegacyClient", "false")
	})
	if err := decodeAnswer(a, n.scrub(keyTrouble(a, err)), &c); err != nil {
		return err
	}
	if c.Multipart == nil && len(c.Security) > 0 {
		return hopeless{errors.New("it is a server of Neptune 3.x, which speaks another protocol than 2.x, the one that is spoken here")}
	}
	api, err := neptuneAddress(c.APIURL)
	if err == nil {
		err = n.session.trusts(api)
	}
	if err != nil {
		return hopeless{err}
	}
	n.rest.client.SetBaseURL(api)
	if c.Multipart == nil || !c.Multipart.Enabled {
		if err := json.Unmarshal([]byte(neptuneMultipart), &c.Multipart); err != nil {
			return err
		}
	}
	n.config = &c
	return nil
}

// neptuneMultipart are the bounds where a server gives none.
const neptuneMultipart = `{"enabled":true,"minChunkSize":5242880,"maxChunkSize":1073741824,"maxChunkCount":1000,"maxSinglePartSize":5242880}`

// neptuneRequest is one that has a bearer token.
type neptuneRequest struct {
	method, path string // below neptuneLeaderboard, or from the root
	query        url.Values
	header       map[string]string
	json         any    // the body, or
	raw          []byte // as it is
	timeout      time.Duration
}

// call makes a request. When the server refuses the bearer token it gets a new one, twice.
func (n *neptune) call(ctx context.Context, q neptuneRequest, to any) error {
	if !strings.HasPrefix(q.path, "/") {
		q.path = neptuneLeaderboard + q.path
	}
	if q.timeout == 0 {
		q.timeout = neptuneTimeout()
	}
	if q.json != nil {
		b, err := json.Marshal(q.json)
		if err != nil {
			return refusal{err}
		}
		q.raw = b
		header := maps.Clone(q.header)
		if header == nil {
			header = map[string]string{}
		}
		header["Content-Type"], header["X-Neptune-LegacyClient"] = "application/json", "false"
		q.header = header
	}
	for renewals := 0; ; renewals++ {
		token, err := n.session.bearer(ctx, renewals)
		if err != nil {
			return n.scrub(err)
		}
		a, err := n.rest.do(ctx, q.timeout, q.method, q.path, func(r *resty.Request) {
			r.SetAuthToken(token).SetQueryParamsFromValues(q.query).SetHeaders(q.header)
			if q.raw != nil {
				r.SetBody(q.raw)
			}
		})
		if a.status == http.StatusUnauthorized && renewals < 2 {
			continue
		}
		return decodeAnswer(a, n.scrub(limitTrouble(a, err)), to)
	}
}

// neptuneTimeout is how long a request may take, as the official client has it: a
// server that is slow is not asked again and again.
func neptuneTimeout() time.Duration {
	if s, err := strconv.ParseFloat(os.Getenv("NEPTUNE_REQUEST_TIMEOUT"), 64); err == nil && s > 0 && s < 1e6 {
		return time.Duration(s * float64(time.Second))
	}
	return 10 * time.Minute
}

// limitTrouble makes limits of the project the end: what is over them is kept until
// somebody has raised them.
func limitTrouble(a answer, err error) error {
	var says struct{ ErrorType, Title string }
	_ = json.Unmarshal(a.body, &says) // not all bodies are JSON
	switch {
	case err == nil:
		return nil
	case a.status == http.StatusPaymentRequired, a.status == http.StatusUnprocessableEntity,
		strings.Contains(says.ErrorType, "LIMIT"), says.ErrorType == "WORKSPACE_IN_READ_ONLY_MODE", says.ErrorType == "WRITE_ACCESS_DENIED_TO_ARCHIVED_PROJECT":
		return hopeless{fmt.Errorf("%d: %s", a.status, strings.TrimSpace(says.ErrorType+" "+says.Title))}
	}
	return err
}

// scrub takes secrets out of an error, which a server may have repeated.
func (n *neptune) scrub(err error) error {
	if err == nil {
		return nil
	}
	text := err.Error()
	for _, secret := range n.session.secrets() {
		text = strings.ReplaceAll(text, secret, "…")
	}
	if text == err.Error() {
		return err
	}
	clean := errors.New(text)
	var no refusal
	var end hopeless
	var wait later
	switch {
	case errors.As(err, &end):
		return hopeless{clean}
	case errors.As(err, &no):
		return refusal{clean}
	case errors.As(err, &wait):
		return later{clean, wait.after}
	}
	return clean
}

// pulse is how often the server wants to hear that the run goes on.
func (n *neptune) pulse() time.Duration { return 10 * time.Second }

func (n *neptune) beat(ctx context.Context, p position) {
	if run := p.Remote["run"]; run != "" && n.config != nil {
		_ = n.ping(ctx, run) // it must not disturb the training
	}
}

func (n *neptune) ping(ctx context.Context, run string) error {
	return n.call(ctx, neptuneRequest{method: http.MethodPost, path: "attributes/ping", query: url.Values{"experimentId": {run}}, timeout: 10 * time.Second}, nil)
}
