package store_test

import (
	"bytes"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/actually-robust-training/art/store"
)

// indexOf is the index of this machine.
func indexOf(t *testing.T, root string) string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(root, ".index-*.sqlite"))
	require.NoError(t, err)
	require.Len(t, files, 1)
	return files[0]
}

// Whatever becomes of the index, what the store says is the same.
func TestIndexIsACache(t *testing.T) {
	noise := make([]byte, 9000)
	for i, random := 0, rand.New(rand.NewPCG(1, 2)); i < len(noise); i++ {
		noise[i] = byte(random.Uint32())
	}
	tests := []struct {
		name  string
		spoil func(t *testing.T, file string)
	}{
		{"untouched", func(*testing.T, string) {}},
		{"deleted", func(t *testing.T, file string) { require.NoError(t, os.Remove(file)) }},
		{"empty", func(t *testing.T, file string) { require.NoError(t, os.Truncate(file, 0)) }},
		{"cut", func(t *testing.T, file string) { require.NoError(t, os.Truncate(file, 5000)) }},
		{"noise", func(t *testing.T, file string) { require.NoError(t, os.WriteFile(file, noise, 0o644)) }},
		{"noise after the header", func(t *testing.T, file string) {
			whole, err := os.ReadFile(file)
			require.NoError(t, err)
			require.NoError(t, os.WriteFile(file, append(whole[:200:200], noise...), 0o644))
		}},
		{"tables of something else", func(t *testing.T, file string) {
			whole, err := os.ReadFile(file)
			require.NoError(t, err)
			require.NoError(t, os.WriteFile(file, bytes.ReplaceAll(whole, []byte("changed "), []byte("altered ")), 0o644))
		}},
		{"another version", func(t *testing.T, file string) {
			whole, err := os.ReadFile(file)
			require.NoError(t, err)
			whole[63]++ // the user version, at the end of a field of four bytes
			require.NoError(t, os.WriteFile(file, whole, 0o644))
		}},
		{"a folder in its place", func(t *testing.T, file string) {
			require.NoError(t, os.Remove(file))
			require.NoError(t, os.MkdirAll(filepath.Join(file, "occupied"), 0o755))
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			root := some(t)
			s := open(t, root)
			want, err := s.Runs(t.Context(), store.Query{})
			require.NoError(t, err)
			require.NoError(t, s.Close())
			tt.spoil(t, indexOf(t, root))

			s = open(t, root)
			assert.Equal(t, tt.name == "a folder in its place", s.Index() == "")
			got, err := s.Runs(t.Context(), store.Query{})
			require.NoError(t, err)
			assert.Empty(t, cmp.Diff(want, got))
		})
	}
}

// A store in use survives as well.
func TestIndexVanishes(t *testing.T) {
	root := some(t)
	s := open(t, root)
	want := paths(t, s, store.Query{})
	for _, suffix := range []string{"", "-wal", "-shm"} {
		if err := os.Remove(indexOf(t, root) + suffix); suffix == "" {
			require.NoError(t, err)
			break
		}
	}
	require.NoError(t, s.Refresh(t.Context()))
	assert.Equal(t, want, paths(t, s, store.Query{}))
	assert.Equal(t, want, paths(t, open(t, root), store.Query{}))
}

func TestIndexName(t *testing.T) {
	root := some(t)
	s := open(t, root)
	assert.Equal(t, s.Index(), indexOf(t, root))
	host, err := os.Hostname()
	require.NoError(t, err)
	assert.Equal(t, ".index-"+strings.ToLower(host)+".sqlite", strings.ToLower(filepath.Base(indexOf(t, root))))
}
