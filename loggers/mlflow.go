package loggers

import (
	"cmp"
	"os"
	"time"

	"github.com/actually-robust-training/art/record"
)

// MLflow sends a run to an MLflow tracking server: scalars and scores are
// metrics, by iteration; settings are parameters; verdicts and outcomes are
// tags; artifacts are uploaded through the server. Vectors and texts stay in the
// event file.
//
// Metrics are named STEP/TRIAL/STAGE/NAME and parameters STEP.SETTING, each part
// left out where there is none; characters that MLflow does not allow become
// underscores. MLflow shows infinities as the largest number.
//
// The key is taken from MLFLOW_TRACKING_TOKEN, or from MLFLOW_TRACKING_USERNAME and
// MLFLOW_TRACKING_PASSWORD.
type MLflow struct {
	// Address of the server. Default MLFLOW_TRACKING_URI, then http://localhost:5000.
	Address string
	// Experiment that the run belongs to; it is made if there is none. Default
	// MLFLOW_EXPERIMENT_NAME, then the name of the recipe.
	Experiment string
	// Spool is where runs keep what is not sent yet, as RECIPE/RUN. Empty means
	// the directory of the run.
	Spool string
	// Grace is how long Close may wait for the server. Default 10 s.
	Grace time.Duration

	courier *courier
	closed  bool
	err     error
}

// Emit puts the event into the spool.
func (m *MLflow) Emit(e record.Event) error {
	if m.closed {
		return lost("MLflow", &e, os.ErrClosed)
	}
	if m.courier == nil && m.err == nil {
		m.err = m.open(&e)
	}
	if m.err != nil {
		return lost("MLflow", &e, m.err)
	}
	return m.courier.Emit(e)
}

func (m *MLflow) open(e *record.Event) error {
	target := map[string]string{
		"address":    cmp.Or(m.Address, os.Getenv("MLFLOW_TRACKING_URI"), "http://localhost:5000"),
		"experiment": cmp.Or(m.Experiment, os.Getenv("MLFLOW_EXPERIMENT_NAME"), e.Name, "art"),
	}
	address, _, err := splitAddress(target["address"])
	if err != nil {
		return err
	}
	name, to, err := mlflowDestination(target)
	if err != nil {
		return err
	}
	target["address"] = address // what is kept has no password
	spool, fresh, err := spoolOf(e, m.Spool, "mlflow", target)
	if err != nil {
		return err
	}
	c := &courier{name: name, spool: spool, grace: m.Grace}
	if err := c.start(to, fresh); err != nil {
		return err
	}
	m.courier = c
	return nil
}

// Close sends what is left, for no longer than Grace.
func (m *MLflow) Close() error {
	m.closed = true
	if m.courier == nil {
		return nil
	}
	return m.courier.Close()
}
