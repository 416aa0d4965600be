package loggers

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/go-resty/resty/v2"
)

const (
	neptuneTokenVariable = "NEPTUNE_API_TOKEN"
	neptuneTokenHeader   = "X-Neptune-Api-Token"
)

// neptuneToken is what an API token says.
type neptuneToken struct {
	// address of the server, without a path.
	address string
	// whole is the token as it was given. A function, because what a field holds is
	// printed by %+v.
	whole func() string
}

// readNeptuneToken reads a token: JSON in base64. Its errors quote none of it.
func readNeptuneToken(token string) (t neptuneToken, err error) {
	token = strings.TrimSpace(token)
	switch token {
	case "":
		return t, fmt.Errorf("there is no token: set %s, or NEPTUNE_MODE=offline to send the run later", neptuneTokenVariable)
	case "ANONYMOUS":
		return t, fmt.Errorf("%s is ANONYMOUS: the hosted service that took it has ended; set a token of your server", neptuneTokenVariable)
	}
	var says struct {
		Address string `json:"api_address"`
		URL     string `json:"api_url"`
	}
	b, err := base64.StdEncoding.DecodeString(token)
	if err != nil || json.Unmarshal(b, &says) != nil || says.Address == "" {
		return t, fmt.Errorf("the token in %s is not one: copy it whole from the page of your server", neptuneTokenVariable)
	}
	if says.URL == "" {
		says.URL = says.Address
	}
	if t.address, err = neptuneAddress(says.URL); err != nil {
		return t, fmt.Errorf("the token in %s: %w", neptuneTokenVariable, err)
	}
	t.whole = func() string { return token }
	return t, nil
}

// neptuneAddress is an address as the official client understands it: with https
// if it does not say, and without a path.
func neptuneAddress(address string) (string, error) {
	if !strings.Contains(address, "://") {
		address = "https://" + address
	}
	clean, _, err := splitAddress(address)
	if err != nil {
		return "", err
	}
	u, err := url.Parse(clean)
	if err != nil {
		return "", err
	}
	return u.Scheme + "://" + u.Host, nil
}

// neptuneSession turns the token into bearer tokens, and these into new ones.
type neptuneSession struct {
	key  neptuneToken
	rest *rest
	// trusts says whether credentials may go to an address.
	trusts func(address string) error

	mu              sync.Mutex
	access, refresh func() string // nil if there is none
	expires         time.Time     // zero if the clock here cannot tell
	client          string
	refreshAddress  string
}

// bearerMargin is how long before its end a token is replaced.
const bearerMargin = 30 * time.Second

// bearer returns a token that is good as far as one can tell. Renewals is how often the
// server has refused one in this request: the first time the token is refreshed, then
// the key is exchanged anew.
func (s *neptuneSession) bearer(ctx context.Context, renewals int) (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	fresh := s.access != nil && (s.expires.IsZero() || time.Until(s.expires) > bearerMargin)
	if fresh && renewals == 0 {
		return s.access(), nil
	}
	if s.refresh != nil && renewals < 2 {
		err := s.renew(ctx)
		var passes later
		if err == nil || errors.As(err, &passes) || ctx.Err() != nil {
			return s.token(err)
		}
	}
	return s.token(s.exchange(ctx))
}

func (s *neptuneSession) token(err error) (string, error) {
	if err != nil {
		return "", err
	}
	return s.access(), nil
}

// exchange turns the key into a pair of tokens.
func (s *neptuneSession) exchange(ctx context.Context) error {
	a, err := s.rest.do(ctx, requestTimeout, http.MethodGet, "/api/backend/v1/authorization/oauth-token", func(r *resty.Request) {
		r.SetHeader(neptuneTokenHeader, s.key.whole())
	})
	var pair struct{ AccessToken, RefreshToken string }
	if err := decodeTokens(a, keyTrouble(a, err), &pair); err != nil {
		return err
	}
	return s.take(pair.AccessToken, pair.RefreshToken)
}

// keyTrouble explains a refusal of the key.
func keyTrouble(a answer, err error) error {
	if a.status == http.StatusUnauthorized || a.status == http.StatusForbidden {
		return hopeless{fmt.Errorf("it does not take the token in %s: %w", neptuneTokenVariable, err)}
	}
	return fatal(err)
}

// fatal makes of a refusal, of which no event is the cause, the end.
func fatal(err error) error {
	var no refusal
	if errors.As(err, &no) {
		return hopeless{errors.New(err.Error())}
	}
	return err
}

// renew asks for new tokens in the way of OAuth.
func (s *neptuneSession) renew(ctx context.Context) error {
	form := url.Values{"grant_type": {"refresh_token"}, "client_id": {s.client}, "refresh_token": {s.refresh()}}
	s.refresh = nil // it is used once
	a, err := s.rest.do(ctx, requestTimeout, http.MethodPost, s.refreshAddress, func(r *resty.Request) {
		r.SetHeader("Accept", "application/json").SetHeader("Content-Type", "application/x-www-form-urlencoded;charset=UTF-8").SetBody(form.Encode())
	})
	var pair struct {
		Access  string `json:"access_token"`
		Refresh string `json:"refresh_token"`
	}
	if err := decodeTokens(a, err, &pair); err != nil {
		return err
	}
	return s.take(pair.Access, pair.Refresh)
}

// decodeTokens quotes nothing of the answer.
func decodeTokens(a answer, err error, to any) error {
	if err == nil && json.Unmarshal(a.body, to) != nil {
		err = errors.New("its answer to signing in is not JSON")
	}
	return err
}

// take keeps a pair of tokens, and what the first says of itself.
func (s *neptuneSession) take(access, refresh string) error {
	var claims struct {
		Expires int64  `json:"exp"`
		Client  string `json:"azp"`
		Issuer  string `json:"iss"`
	}
	parts := strings.Split(access, ".")
	if len(parts) != 3 {
		return hopeless{errors.New("its bearer token is not a JSON web token")}
	}
	payload, err := base64.RawURLEncoding.DecodeString(strings.TrimRight(parts[1], "="))
	if err != nil || json.Unmarshal(payload, &claims) != nil {
		return hopeless{errors.New("its bearer token is not a JSON web token")}
	}
	s.access, s.refresh = func() string { return access }, nil
	// A token that is over already tells that the clocks differ. Then the server
	// says when it is.
	if s.expires = time.Unix(claims.Expires, 0); time.Until(s.expires) <= bearerMargin {
		s.expires = time.Time{}
	}
	s.client, s.refreshAddress = claims.Client, strings.TrimRight(claims.Issuer, "/")+"/protocol/openid-connect/token"
	// Where the sign-in is on a host that is not trusted, the key is exchanged anew.
	if refresh != "" && s.trusts(s.refreshAddress) == nil {
		s.refresh = func() string { return refresh }
	}
	return nil
}

// secrets returns all that must be in no message.
func (s *neptuneSession) secrets() (all []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, secret := range []func() string{s.key.whole, s.access, s.refresh} {
		if secret != nil {
			all = append(all, secret())
		}
	}
	return all
}

// trustedHosts says whether an address is on the host of the first one, or on one
// of the others, and no less safe.
func trustedHosts(first string, others []string) func(address string) error {
	home, err := url.Parse(first)
	if err != nil {
		home = &url.URL{}
	}
	return func(address string) error {
		u, err := url.Parse(address)
		switch {
		case err != nil || u.Hostname() == "":
			return errors.New("it names an address that is not one")
		case u.Scheme != "https" && home.Scheme == "https" || u.Scheme != "https" && u.Scheme != "http":
			return fmt.Errorf("it sends to %s://%s, which is not encrypted", u.Scheme, u.Host)
		case u.Hostname() != home.Hostname() && !(isLoopback(u) && isLoopback(home)) && !slices.Contains(others, u.Hostname()):
			return fmt.Errorf("it sends to the host %s, and credentials go to %s only: list the host in Neptune.Hosts if it is yours", u.Hostname(), home.Hostname())
		}
		return nil
	}
}

// isLoopback says whether an address is on this machine.
func isLoopback(u *url.URL) bool {
	ip := net.ParseIP(u.Hostname())
	return u.Hostname() == "localhost" || ip != nil && ip.IsLoopback()
}
