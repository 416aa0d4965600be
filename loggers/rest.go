package loggers

import (
	"cmp"
	"context"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/go-resty/resty/v2"
)

// rest speaks to one server, and sorts its troubles into those of a
// destination.
type rest struct {
	client *resty.Client
	// sign adds the key. A function, because what a field holds is printed by %+v.
	sign func(*resty.Request)
}

// requestTimeout is for one request and its answer, when both are small.
const requestTimeout = 30 * time.Second

// maxAnswer bounds what is read of an answer, in bytes.
const maxAnswer = 16 << 20

// newREST returns a client of the server at an address without credentials.
// It follows no redirects: keys go to no other host.
// resty.New would keep cookies, which no server here needs.
func newREST(address string, sign func(*resty.Request)) *rest {
	client := resty.NewWithClient(&http.Client{}).
		SetBaseURL(address).
		SetResponseBodyLimit(maxAnswer).
		SetHeader("User-Agent", "art-go").
		SetRedirectPolicy(resty.RedirectPolicyFunc(func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse })).
		SetLogger(silent{})
	return &rest{client: client, sign: sign}
}

// splitAddress checks the address of a server and takes user name and password
// out of it.
func splitAddress(address string) (clean string, user *url.Userinfo, err error) {
	u, err := url.Parse(address)
	if err != nil {
		return "", nil, errors.New("the address of the server is not a URL like http://localhost:5000") // err quotes it, password and all
	}
	user, u.User = u.User, nil
	if u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return "", nil, fmt.Errorf("the address of the server, %q, is not a URL like http://localhost:5000", u)
	}
	return strings.TrimRight(u.String(), "/"), user, nil
}

// answer is what came back: the body and the status, with an error for all that
// is not a success.
type answer struct {
	status int
	body   []byte
	header http.Header
}

// do makes a request, within a time. Prepare adds the body and the query.
func (r *rest) do(ctx context.Context, timeout time.Duration, method, path string, prepare func(*resty.Request)) (answer, error) {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	request := r.client.R().SetContext(ctx)
	if r.sign != nil {
		r.sign(request)
	}
	if prepare != nil {
		prepare(request)
	}
	got, err := request.Execute(method, path)
	if err != nil {
		return answer{}, transportTrouble(err)
	}
	a := answer{got.StatusCode(), got.Body(), got.Header()}
	return a, statusTrouble(a, a.header)
}

// fetch writes what is at a path to a file, whole or not at all. The sum is its
// SHA-256 in hexadecimal digits, empty if it is not known.
func (r *rest) fetch(ctx context.Context, path, to, sum string) (err error) {
	request := r.client.R().SetContext(ctx).SetDoNotParseResponse(true)
	r.sign(request)
	got, err := request.Get(path)
	if err != nil {
		return transportTrouble(err)
	}
	body := got.RawBody()
	defer body.Close() //nolint:errcheck // it was only read
	a := answer{status: got.StatusCode(), header: got.Header()}
	if !got.IsSuccess() {
		a.body, _ = io.ReadAll(io.LimitReader(body, 1<<10)) // for the message only
		return statusTrouble(a, a.header)
	}
	if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
		return refusal{err}
	}
	f, err := os.CreateTemp(filepath.Dir(to), ".tmp-*")
	if err != nil {
		return refusal{err}
	}
	hash := sha256.New()
	_, err = io.Copy(io.MultiWriter(f, hash), body)
	if came := hex.EncodeToString(hash.Sum(nil)); err == nil && sum != "" && came != sum {
		err = fmt.Errorf("what came has SHA-256 %s instead of %s", came, sum)
	}
	if err = errors.Join(err, f.Chmod(0o644), f.Close()); err == nil {
		err = os.Rename(f.Name(), to)
	}
	if err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	return nil
}

// attemptsToDownload is how often a download is tried.
const attemptsToDownload = 5

// attempts does something that may fail for a while, until it is done, refused, or
// has been tried often enough.
func attempts(ctx context.Context, p patience, do func() error) error {
	pause := cmp.Or(p.shortest, shortestWait)
	for attempt := 1; ; attempt++ {
		err := do()
		if err == nil || attempt == attemptsToDownload || errors.As(err, new(hopeless)) || errors.As(err, new(refusal)) {
			return err
		}
		wait := pause
		var after later
		if errors.As(err, &after) {
			wait = max(wait, after.after)
		}
		select {
		case <-time.After(wait):
		case <-ctx.Done():
			return err
		}
		pause *= 2
	}
}

// transportTrouble leaves out the address of the request: the server is named already.
func transportTrouble(err error) error {
	var with *url.Error
	if errors.As(err, &with) {
		err = with.Err
	}
	var unknown x509.UnknownAuthorityError
	var host x509.HostnameError
	var invalid x509.CertificateInvalidError
	var record tls.RecordHeaderError
	var verification *tls.CertificateVerificationError
	if errors.As(err, &unknown) || errors.As(err, &host) || errors.As(err, &invalid) || errors.As(err, &record) || errors.As(err, &verification) {
		return hopeless{err}
	}
	return err
}

// statusTrouble is nil for 2xx.
func statusTrouble(a answer, header http.Header) error {
	if a.status >= 200 && a.status < 300 {
		return nil
	}
	err := fmt.Errorf("%d %s%s", a.status, http.StatusText(a.status), excerpt(a.body))
	switch {
	case a.status >= 300 && a.status < 400:
		to, _ := url.Parse(header.Get("Location"))
		if to == nil {
			to = &url.URL{}
		}
		return hopeless{fmt.Errorf("it redirects to %s: redirects are not followed, set that address", to.Redacted())}
	case a.status == http.StatusUnauthorized, a.status == http.StatusForbidden, a.status == http.StatusNotFound, a.status == http.StatusMethodNotAllowed:
		return hopeless{err}
	case a.status == http.StatusRequestTimeout, a.status == http.StatusTooEarly, a.status == http.StatusTooManyRequests, a.status >= 500:
		return later{err, retryAfter(header.Get("Retry-After"), time.Now())}
	}
	return refusal{err}
}

// retryAfter reads both forms of the header: seconds, which some servers give
// with decimals, and a date. What is
// wrong, or more than an hour, is not obeyed.
func retryAfter(value string, now time.Time) time.Duration {
	after := time.Duration(0)
	if seconds, err := strconv.ParseFloat(value, 64); err == nil && !math.IsNaN(seconds) {
		after = time.Duration(min(max(seconds, 0), 3601) * float64(time.Second))
	} else if date, err := http.ParseTime(value); err == nil {
		after = date.Sub(now)
	}
	if after < 0 || after > time.Hour {
		return 0
	}
	return after
}

// excerpt is the beginning of an answer, in one line.
func excerpt(body []byte) string {
	const most = 300
	if len(body) == 0 {
		return ""
	}
	if len(body) > most {
		body = append(append([]byte(nil), body[:most]...), "…"...)
	}
	return ": " + strings.Join(strings.Fields(strings.ToValidUTF8(string(body), "")), " ")
}

// silent drops what resty would write to standard error.
type silent struct{}

func (silent) Errorf(string, ...any) {}
func (silent) Warnf(string, ...any)  {}
func (silent) Debugf(string, ...any) {}
