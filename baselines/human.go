package baselines

import (
	"errors"

	"github.com/actually-robust-training/art/train"
)

// Human is the score of a person, measured outside: people too are a baseline.
// What they reached is given by metric:
//
//	baselines.Human(train.Score{Name: "accuracy", Value: 0.97, Rows: 200})
//
// A person can be neither trained nor asked for predictions here, so the
// learner refuses both: Forward and Predict return errors. It has instead a
// method of its own,
//
//	Stated() []train.Score
//
// by which a step that knows of it takes the scores as measured. The road not
// taken is a learner that draws predictions at random until they have the stated
// score: its other metrics, its loss above all, would be inventions.
func Human(scores ...train.Score) train.Model {
	return train.Model{
		Name: "human",
		New: func(train.Init) (train.Learner, error) {
			if len(scores) == 0 {
				return nil, errors.New("it states no score: give one as " +
					"baselines.Human(train.Score{Name: \"accuracy\", Value: 0.97})")
			}
			for _, s := range scores {
				if s.Name == "" {
					return nil, errors.New("it states a score without the name of its metric: set train.Score.Name")
				}
			}
			return &stated{scores}, nil
		},
	}
}

type stated struct{ scores []train.Score }

var errStated = errors.New("a person's score is stated, not computed: use it in a step that compares baselines")

// Stated returns the scores as they were given.
func (s *stated) Stated() []train.Score { return append([]train.Score(nil), s.scores...) }

func (s *stated) Forward(train.Batch, int) (float64, error) { return 0, errStated }
func (s *stated) Update(float64) error                      { return errStated }
func (s *stated) Predict(train.Batch) (train.Prediction, error) {
	return train.Prediction{}, errStated
}
func (s *stated) Params() []train.Param { return nil }
