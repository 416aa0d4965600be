package decorators_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/actually-robust-training/art/decorators"
	"github.com/actually-robust-training/art/train"
	"github.com/actually-robust-training/art/train/traintest"
)

func TestCheckpointAsks(t *testing.T) {
	data := traintest.Blobs(1, 60, 3)
	m := traintest.MLP(4)
	for every, want := range map[int][]int{5: {5, 10}, 1: {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11}, 0: nil, 100: nil} {
		l, err := m.Build(data, data.Training, 1)
		require.NoError(t, err)
		var asked []int
		loop := train.Loop{Learner: l, Source: data.Training, Iterations: 12, Optimizer: m.Optimizer,
			Decorators: []train.Decorator{decorators.Checkpoint{Every: every}.Decorate},
			Between: func(_ context.Context, s *train.State) error {
				if s.Asked() {
					asked = append(asked, s.Iteration)
				}
				return nil
			}}
		_, err = loop.Run(t.Context())
		require.NoError(t, err)
		assert.Equal(t, want, asked, "every %d", every)
	}
}
