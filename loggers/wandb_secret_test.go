package loggers

import (
	"bytes"
	"context"
	"encoding/base64"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/actually-robust-training/art/loggers/wandbtest"
)

// Everything that is written, said and sent is searched for the key, in both of
// its forms, and for what signs the addresses of files.
func TestWandBKeepsSecrets(t *testing.T) {
	const header = "s3cr3t-h3ad3r"
	elsewhere := &tracker{}
	away := serveTracker(t, elsewhere)
	for _, c := range []struct {
		name  string
		fault wandbtest.Fault
	}{
		{"all is well", wandbtest.Fault{Operation: "none"}},
		{"refused", wandbtest.Fault{Operation: "file_stream", Status: 401}},
		{"redirected", wandbtest.Fault{Operation: "file_stream", Status: 307, Header: map[string]string{"Location": away + "/files"}}},
		{"store redirects", wandbtest.Fault{Operation: "PUT", Status: 307, Header: map[string]string{"Location": away + "/bucket"}}},
		{"store breaks", wandbtest.Fault{Operation: "PUT", Drop: true}},
		{"no server", wandbtest.Fault{Drop: true}},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := toService(t)
			s.KeepBodies()
			s.Inject(c.fault)
			key := s.Key()
			t.Setenv("WANDB__EXTRA_HTTP_HEADERS", `{"X-Proxy-Key":"`+header+`"}`)
			root := t.TempDir()
			var said bytes.Buffer
			own := WandB{Project: "demo", Spool: root, W: &said, Grace: 300 * time.Millisecond, patience: hasty}
			run, err := own.Start()
			require.NoError(t, err)
			var texts []string
			say := func(err error) {
				if err != nil {
					texts = append(texts, err.Error())
				}
			}
			say(run.Log(map[string]any{"loss": 1., "page": WandBHTML("<p>")}))
			say(run.LogArtifact(WandBArtifact{Name: "ckpt", Type: "model", Files: map[string]string{"go.mod": filepath.Join("..", "go.mod")}}))
			say(run.LogArtifact(WandBArtifact{Name: "ckpt/", Type: "model"}))
			soon, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
			defer cancel()
			_, err = own.Download(soon, "ckpt:none", root)
			say(err)
			say(run.Finish(0))
			texts = append(texts, said.String(), fmt.Sprintf("%+v %#v %v", own, own, own), fmt.Sprintf("%+v %#v", run, run.w),
				fmt.Sprintf("%+v %#v", run.w.out, run.w.out.Sink), fmt.Sprintf("%+v %#v", run.w.out.Sink.(*courier).sender.to, run.w.out.Sink.(*courier).sender.to))

			basic := base64.StdEncoding.EncodeToString([]byte("api:" + key))
			secrets := []string{key, basic, header, "X-Signature"}
			for _, secret := range secrets {
				for _, text := range texts {
					assert.NotContains(t, text, secret)
				}
				assertNowhere(t, root, secret)
			}
			service := strings.TrimPrefix(s.URL, "http://")
			for _, r := range s.Requests() {
				whole := fmt.Sprint(r.URL, r.Header, string(r.Body))
				if r.Host == service {
					assert.Equal(t, "Basic "+basic, r.Header.Get("Authorization"))
					r.Header.Del("Authorization")
					r.Header.Del("X-Proxy-Key")
					whole = fmt.Sprint(r.URL, r.Header, string(r.Body))
				}
				for _, secret := range secrets[:3] {
					assert.NotContains(t, whole, secret, r.Operation)
				}
			}
			for _, h := range elsewhere.headers {
				assert.NotContains(t, fmt.Sprint(h), key)
				assert.Empty(t, h.Get("Authorization"))
			}
			if c.name == "redirected" {
				assert.Empty(t, elsewhere.requests, "a redirect was followed")
			}
		})
	}
}

func TestWandBKeys(t *testing.T) {
	long := strings.Repeat("0123456789", 4)
	for _, c := range []struct {
		name, env, netrc, file string
		want, trouble          string
	}{
		{"variable wins", long, "machine api.wandb.ai login user password " + strings.Repeat("b", 40), "", long, ""},
		{"on-prem", "local-" + long, "", "", "local-" + long, ""},
		{"newer and longer", long + long, "", "", long + long, ""},
		{"web token", "aa.bb-b.c_c", "", "", "aa.bb-b.c_c", ""},
		{"netrc", "", "# comment\nmachine other password x\nmachine api.wandb.ai\n  login user\n  password '" + long + "'\n", "", long, ""},
		{"netrc default", "", "default login user password " + long, "", long, ""},
		{"settings file", "", "", "[default]\napi_key = " + long + "\n", long, ""},
		{"none", "", "machine other password " + long, "[other]\napi_key = " + long, "", "there is no key: set WANDB_API_KEY"},
		{"identity token", "", "", "[default]\nidentity_token_file = /token\n", "", "WANDB_IDENTITY_TOKEN_FILE is not supported: set WANDB_API_KEY"},
		{"short", "0123456789abcdef", "", "", "", "the key in WANDB_API_KEY does not look like one"},
		{"space", long + " ", "", "", "", "does not look like one"},
	} {
		t.Run(c.name, func(t *testing.T) {
			home := t.TempDir()
			t.Chdir(home)
			t.Setenv("HOME", home)
			t.Setenv("NETRC", "")
			t.Setenv("WANDB_CONFIG_DIR", home)
			t.Setenv("WANDB_API_KEY", c.env)
			require.NoError(t, os.WriteFile(filepath.Join(home, ".netrc"), []byte(c.netrc), 0o600))
			require.NoError(t, os.WriteFile(filepath.Join(home, "settings"), []byte(c.file), 0o600))
			key, err := loadWandBSettings().key("https://api.wandb.ai")
			assert.Equal(t, c.want, key)
			if c.trouble == "" {
				assert.NoError(t, err)
			} else {
				assert.ErrorContains(t, err, c.trouble)
				assert.NotContains(t, err.Error(), "0123456789")
			}
		})
	}
	home := t.TempDir()
	t.Setenv("NETRC", filepath.Join(home, "netrc"))
	require.NoError(t, os.WriteFile(filepath.Join(home, "netrc"), []byte("machine localhost:8080 password port machine localhost password none"), 0o600))
	assert.Equal(t, "port", netrcPassword("http://localhost:8080"))
	assert.Equal(t, "none", netrcPassword("http://localhost:9090"))
}

func TestWandBSettings(t *testing.T) {
	home := t.TempDir()
	t.Chdir(home)
	require.NoError(t, os.Mkdir("wandb", 0o755))
	require.NoError(t, os.WriteFile("settings", []byte("[default]\nbase_url = https://api.example.com/\nentity = global\nproject = global\nmode=global\n"), 0o600))
	require.NoError(t, os.WriteFile("wandb/settings", []byte("[default]\n# project = none\nproject = local\nentity=local\n"), 0o600))
	t.Setenv("WANDB_CONFIG_DIR", home)
	t.Setenv("WANDB_ENTITY", "env")
	t.Setenv("WANDB_BASE_URL", "")
	t.Setenv("WANDB_HTTP_TIMEOUT", "2.5")
	s := loadWandBSettings()
	assert.Equal(t, []string{"env", "local", "global"}, []string{s["entity"], s["project"], s["mode"]})
	address, err := s.address("")
	require.NoError(t, err)
	assert.Equal(t, "https://api.example.com", address)
	assert.Equal(t, "https://app.example.com", s.app(address))
	assert.Equal(t, "https://wandb.ai", s.app("https://api.wandb.ai"))
	assert.Equal(t, "http://localhost:8080", s.app("http://localhost:8080"))
	assert.Equal(t, 2500*time.Millisecond, s.seconds("http_timeout", time.Second))
	assert.Equal(t, time.Second, s.seconds("no_timeout", time.Second))
}

// Without a key, what happens is kept for later.
func TestWandBWithoutAKey(t *testing.T) {
	s := toService(t)
	key := s.Key()
	t.Setenv("WANDB_API_KEY", "")
	root := t.TempDir()
	err := toWandB(t, &WandB{Spool: root}, 3)
	require.ErrorContains(t, err, "does not have 5 of 5 events (there is no key: set WANDB_API_KEY")
	t.Setenv("WANDB_API_KEY", key)
	require.NoError(t, Sync(t.Context(), root, func(string) {}))
	assertOnce(t, s, 3)
}

// A proxy that is set for W&B alone sees its requests.
func TestWandBProxy(t *testing.T) {
	s := toService(t)
	through := 0
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		through++
		http.Error(w, "not today", http.StatusBadGateway)
	}))
	defer proxy.Close()
	t.Setenv("WANDB_HTTP_PROXY", proxy.URL)
	err := toWandB(t, &WandB{Spool: t.TempDir(), Grace: 100 * time.Millisecond, patience: hasty}, 1)
	assert.ErrorContains(t, err, "502 Bad Gateway: not today")
	assert.NotZero(t, through)
	assert.Empty(t, s.Requests())
}
