package store_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/actually-robust-training/art/store"
)

// The promise is that art runs, which is Open and Runs, takes less than 200 ms with
// 10,000 runs on disk and a warm index.
func BenchmarkTenThousand(b *testing.B) {
	const n = 10_000
	root := b.TempDir()
	generate(b, root, n)
	open := func(b *testing.B) *store.Store {
		s, err := store.Open(b.Context(), root)
		require.NoError(b, err)
		return s
	}
	b.Run("rebuild", func(b *testing.B) {
		for b.Loop() {
			b.StopTimer()
			old, err := filepath.Glob(filepath.Join(root, ".index-*"))
			require.NoError(b, err)
			for _, file := range old {
				require.NoError(b, os.Remove(file))
			}
			b.StartTimer()
			require.NoError(b, open(b).Close())
		}
	})
	for _, size := range []struct {
		name  string
		limit int
	}{{"open and list 20", 20}, {"open and list all", 0}} {
		b.Run(size.name, func(b *testing.B) {
			for b.Loop() {
				s := open(b)
				runs, err := s.Runs(b.Context(), store.Query{Limit: size.limit})
				require.NoError(b, err)
				require.NotEmpty(b, runs)
				require.NoError(b, s.Close())
			}
		})
	}
	s := open(b)
	defer s.Close()
	b.Run("refresh", func(b *testing.B) {
		for b.Loop() {
			require.NoError(b, s.Refresh(b.Context()))
		}
	})
	b.Run("newest of a recipe", func(b *testing.B) {
		for b.Loop() {
			_, err := s.Find(b.Context(), "last:recipe-3")
			require.NoError(b, err)
		}
	})
}
