// Package checks judges steps: a check is a pure function of what was recorded,
// and returns a verdict. It knows nothing of training or testing; arttest turns
// each verdict into a subtest.
//
// A check of your own is a function:
//
//	steep := checks.Check{
//		Name: "loss-halves",
//		Judge: func(s *record.StepRun) record.Verdict {
//			loss := s.Curve("loss").Values()
//			got := loss[len(loss)-1] / loss[0]
//			return checks.Hold(got < 0.5, "below half of the start", fmt.Sprintf("%.2f of it", got))
//		},
//	}
//
// or assertions, see [Assert].
package checks
