package loggers

import (
	"cmp"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"time"
)

// wandbSettings are what WANDB_ variables and settings files say, as the official
// client reads them: a variable WANDB_X is the setting x; variables win over
// ./wandb/settings, which wins over ~/.config/wandb/settings.
type wandbSettings map[string]string

func loadWandBSettings() wandbSettings {
	s := wandbSettings{}
	config := os.Getenv("WANDB_CONFIG_DIR")
	if home, err := os.UserHomeDir(); config == "" && err == nil {
		config = filepath.Join(home, ".config", "wandb")
	}
	for _, file := range []string{filepath.Join(config, "settings"), filepath.Join("wandb", "settings")} {
		if b, err := os.ReadFile(file); err == nil {
			s.addFile(string(b))
		}
	}
	for _, v := range os.Environ() {
		name, value, _ := strings.Cut(v, "=")
		if name, ok := strings.CutPrefix(name, "WANDB_"); ok && value != "" {
			s[strings.ToLower(name)] = value
		}
	}
	return s
}

// addFile reads the section [default] of an INI file.
func (s wandbSettings) addFile(text string) {
	section := ""
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if strings.HasPrefix(line, "[") {
			section = line
			continue
		}
		name, value, found := strings.Cut(line, "=")
		if found && section == "[default]" && !strings.HasPrefix(line, "#") && !strings.HasPrefix(line, ";") {
			s[strings.ToLower(strings.TrimSpace(name))] = strings.TrimSpace(value)
		}
	}
}

func (s wandbSettings) isTrue(name string) bool {
	switch strings.ToLower(s[name]) {
	case "y", "yes", "t", "true", "on", "1":
		return true
	}
	return false
}

// ignores says whether a file of the run stays here, as WANDB_IGNORE_GLOBS wants it.
func (s wandbSettings) ignores(name string) bool {
	for glob := range strings.SplitSeq(s["ignore_globs"], ",") {
		if matches, err := path.Match(glob, name); err == nil && matches {
			return true
		}
	}
	return false
}

// seconds is a time that a setting gives; without one it is the fallback.
func (s wandbSettings) seconds(name string, fallback time.Duration) time.Duration {
	if n, err := strconv.ParseFloat(s[name], 64); err == nil && n > 0 && n < 1e6 {
		return time.Duration(n * float64(time.Second))
	}
	return fallback
}

// address is that of the server, without the name and password that it may hold.
func (s wandbSettings) address(given string) (string, error) {
	address, _, err := splitAddress(cmp.Or(given, s["base_url"], "https://api.wandb.ai"))
	if err != nil {
		return "", err
	}
	u, err := url.Parse(address)
	if host := ""; err == nil {
		host = u.Hostname()
		if host == "wandb.ai" || strings.HasSuffix(host, ".wandb.ai") && (!strings.Contains(host, "api.") || u.Scheme != "https") {
			return "", fmt.Errorf("the address of the server, %q, is that of web pages: the service is at https://api.wandb.ai", address)
		}
	}
	return address, err
}

// app is the address of the web pages that show runs.
func (s wandbSettings) app(address string) string {
	switch {
	case s["app_url"] != "":
		return strings.TrimRight(s["app_url"], "/")
	case address == "https://api.wandb.ai":
		return "https://wandb.ai"
	}
	return strings.Replace(address, "://api.", "://app.", 1)
}

// key finds the key for the server: WANDB_API_KEY, netrc, a settings file.
func (s wandbSettings) key(address string) (string, error) {
	key, from := os.Getenv("WANDB_API_KEY"), "WANDB_API_KEY"
	if key == "" {
		key, from = netrcPassword(address), "the netrc file"
	}
	if key == "" {
		key, from = s["api_key"], "the settings file"
	}
	if key == "" && s["identity_token_file"] != "" {
		return "", errors.New("WANDB_IDENTITY_TOKEN_FILE is not supported: set WANDB_API_KEY, or WANDB_MODE=offline to send the run later")
	}
	if key == "" {
		return "", errors.New("there is no key: set WANDB_API_KEY, run wandb login, or set WANDB_MODE=offline to send the run later")
	}
	if !keyShape.MatchString(key) {
		return "", fmt.Errorf("the key in %s does not look like one: it has at least 40 letters and digits, and no spaces", from) // never the key itself
	}
	return key, nil
}

// keyShape is the test of the official client: a JSON web token, or at least 40
// characters after the first dash.
var keyShape = regexp.MustCompile(`^(?:[\w-]+\.[\w-]+\.[\w-]+|(?:[^-\s]*-)?[\w-]{40,})$`)

// netrcPassword finds the password for the host, with its port, then without, then
// the default one.
func netrcPassword(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return ""
	}
	for _, path := range netrcFiles() {
		if b, err := os.ReadFile(path); err == nil {
			found := parseNetrc(string(b))
			return cmp.Or(found[u.Host], found[u.Hostname()], found[""])
		}
	}
	return ""
}

func netrcFiles() []string {
	if path := os.Getenv("NETRC"); path != "" {
		return []string{path}
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return nil
	}
	files := []string{filepath.Join(home, ".netrc"), filepath.Join(home, "_netrc")}
	if runtime.GOOS == "windows" {
		files[0], files[1] = files[1], files[0]
	}
	return files
}

// parseNetrc returns passwords by machine; that of the default entry is under "".
func parseNetrc(text string) map[string]string {
	passwords := map[string]string{}
	words := netrcWords(text)
	machine, within := "", false
	for i := 0; i < len(words); i++ {
		next := ""
		if i+1 < len(words) {
			next = words[i+1]
		}
		switch words[i] {
		case "default":
			machine, within = "", true
		case "machine":
			machine, within, i = next, true, i+1
		case "login", "user", "account":
			i++
		case "password":
			if _, twice := passwords[machine]; within && !twice {
				passwords[machine] = next
			}
			i++
		}
	}
	return passwords
}

// netrcWords splits at white space, but not inside of quotes. A # at the begin
// of a line is a comment.
func netrcWords(text string) (words []string) {
	for line := range strings.Lines(text) {
		var word strings.Builder
		quote, inside := rune(0), false
		if strings.HasPrefix(strings.TrimSpace(line), "#") {
			continue
		}
		for _, r := range line {
			switch {
			case quote != 0 && r == quote:
				quote = 0
			case quote == 0 && (r == '"' || r == '\''):
				quote, inside = r, true
			case quote == 0 && (r == ' ' || r == '\t' || r == '\n' || r == '\r'):
				if inside || word.Len() > 0 {
					words = append(words, word.String())
				}
				word.Reset()
				inside = false
			default:
				word.WriteRune(r)
			}
		}
		if inside || word.Len() > 0 {
			words = append(words, word.String())
		}
	}
	return words
}

// headers are those that every request to the service has.
func (s wandbSettings) headers() (map[string]string, error) {
	h := map[string]string{}
	if s["_extra_http_headers"] != "" {
		if err := json.Unmarshal([]byte(s["_extra_http_headers"]), &h); err != nil {
			return nil, errors.New("WANDB__EXTRA_HTTP_HEADERS is not a JSON object of texts")
		}
	}
	for name, setting := range map[string]string{"X-WANDB-USERNAME": "username", "X-WANDB-USER-EMAIL": "user_email"} {
		if s[setting] != "" {
			h[name] = s[setting]
		}
	}
	return h, nil
}

// transport is what all requests of a destination go through.
func (s wandbSettings) transport() *http.Transport {
	t := &http.Transport{
		Proxy: http.ProxyFromEnvironment, ForceAttemptHTTP2: true, MaxIdleConnsPerHost: 4,
		IdleConnTimeout: 90 * time.Second, TLSHandshakeTimeout: 10 * time.Second, ExpectContinueTimeout: time.Second,
	}
	if s["http_proxy"] != "" || s["https_proxy"] != "" {
		t.Proxy = func(r *http.Request) (*url.URL, error) {
			if proxy := s[r.URL.Scheme+"_proxy"]; proxy != "" {
				u, err := url.Parse(proxy)
				if err != nil {
					return nil, fmt.Errorf("WANDB_%s_PROXY is not a URL", strings.ToUpper(r.URL.Scheme))
				}
				return u, nil
			}
			return http.ProxyFromEnvironment(r)
		}
	}
	if s.isTrue("insecure_disable_ssl") {
		t.TLSClientConfig = &tls.Config{InsecureSkipVerify: true} //nolint:gosec // the user asked for it
	}
	return t
}
