package neptunetest

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// signIn is the state of signing in.
type signIn struct {
	life            time.Duration
	access, refresh map[string]time.Time // when tokens expire
}

const (
	keyHeader = "X-Neptune-Api-Token"
	clientID  = "neptune-cli"
	realm     = "/auth/realms/neptune"
	tokenPath = realm + "/protocol/openid-connect/token"
)

// credentials says how a request is admitted.
type credentials int

const (
	byBearer credentials = iota
	byKey
	byNothing
)

// Token returns what NEPTUNE_API_TOKEN is to be: the address and a key.
func (s *Server) Token() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.token()
}

func (s *Server) token() string {
	b, err := json.Marshal(map[string]string{"api_address": s.URL, "api_url": s.URL, "api_key": s.key})
	if err != nil {
		panic(err) // strings can be written
	}
	return base64.StdEncoding.EncodeToString(b)
}

// SetKey makes the server take another key, a part of [Server.Token]: the one that
// clients have is revoked, and so is all that it was exchanged for.
func (s *Server) SetKey(key string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.key = key
	clear(s.signIn.access)
	clear(s.signIn.refresh)
}

// SetTokenLife sets how long access tokens live that are issued from now on.
// Default 5 minutes; refresh tokens live six times as long.
func (s *Server) SetTokenLife(life time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.signIn.life = life
}

// ExpireTokens makes the access tokens that clients have expire, and their refresh
// tokens too if the session ends.
func (s *Server) ExpireTokens(session bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for token := range s.signIn.access {
		s.signIn.access[token] = time.Time{}
	}
	if session {
		clear(s.signIn.refresh)
	}
}

// admit checks the credentials of a request, and that it shows no others.
func (s *Server) admit(c *call, how credentials) error {
	key, bearer := c.Header.Get(keyHeader), c.Header.Get("Authorization")
	unauthorized := &trouble{Status: http.StatusUnauthorized, Title: "Unauthorized"}
	if how != byKey && key != "" {
		return s.violated("%s %s shows the API token, which belongs to signing in only", c.Method, c.URL.Path)
	}
	if how != byBearer && bearer != "" && !strings.HasSuffix(c.URL.Path, "swagger.json") && how != byNothing {
		return s.violated("%s %s has an Authorization header", c.Method, c.URL.Path)
	}
	switch how {
	case byNothing:
		return nil
	case byKey:
		if key != s.token() {
			return unauthorized
		}
		return nil
	}
	token, ok := strings.CutPrefix(bearer, "Bearer ")
	expires, known := s.signIn.access[token]
	switch {
	case !ok || !known:
		return unauthorized
	case !time.Now().Before(expires):
		return &trouble{http.StatusUnauthorized, "AUTHORIZATION_TOKEN_EXPIRED", "the token has expired"}
	}
	return nil
}

// issue makes a pair of tokens.
func (s *Server) issue() (access, refresh string) {
	now := time.Now()
	expires := now.Add(s.signIn.life)
	access, refresh = s.jwt(expires), s.jwt(now.Add(6*s.signIn.life))
	s.signIn.access[access], s.signIn.refresh[refresh] = expires, now.Add(6*s.signIn.life)
	return access, refresh
}

func (s *Server) jwt(expires time.Time) string {
	part := func(v any) string {
		b, err := json.Marshal(v)
		if err != nil {
			panic(err) // strings and numbers can be written
		}
		return base64.RawURLEncoding.EncodeToString(b)
	}
	claims := object{"exp": expires.Unix(), "azp": clientID, "iss": s.URL + realm, "jti": rand.Text()}
	return part(object{"alg": "RS256", "typ": "JWT"}) + "." + part(claims) + "." + base64.RawURLEncoding.EncodeToString([]byte("unchecked"))
}

func clientConfig(s *Server, _ *call) (any, error) {
	return object{
		"apiUrl": s.URL, "applicationUrl": s.URL,
		"pyLibVersions": object{"minRecommendedVersion": "1.0.2", "minCompatibleVersion": "0.16.3", "maxCompatibleVersion": "2.0.0"},
		"multiPartUpload": object{
			"enabled": true, "minChunkSize": s.limits.MinChunk, "maxChunkSize": s.limits.MaxChunk,
			"maxChunkCount": s.limits.MaxChunks, "maxSinglePartSize": s.limits.MaxSinglePart,
		},
		"artifacts": object{"enabled": false}, "sysNameSetByBackend": true,
	}, nil
}

func exchange(s *Server, _ *call) (any, error) {
	access, refresh := s.issue()
	return object{"accessToken": access, "refreshToken": refresh, "username": "ann"}, nil
}

// refreshTokens answers as Keycloak does.
func refreshTokens(s *Server, c *call) (any, error) {
	invalid := func(kind, description string) (any, error) {
		answer(c.w, http.StatusBadRequest, object{"error": kind, "error_description": description})
		return written, nil
	}
	form, err := url.ParseQuery(string(c.body))
	if err != nil || !strings.HasPrefix(c.Header.Get("Content-Type"), "application/x-www-form-urlencoded") || form.Get("grant_type") != "refresh_token" {
		return invalid("unsupported_grant_type", "Unsupported grant_type")
	}
	if form.Get("client_id") != clientID {
		return invalid("invalid_client", "Invalid client credentials")
	}
	if expires, known := s.signIn.refresh[form.Get("refresh_token")]; !known || !time.Now().Before(expires) {
		return invalid("invalid_grant", "Token is not active")
	}
	access, refresh := s.issue()
	seconds := int(s.signIn.life.Seconds())
	return object{"access_token": access, "refresh_token": refresh, "expires_in": seconds, "refresh_expires_in": 6 * seconds, "token_type": "bearer"}, nil
}
