package loggers

import (
	"cmp"
	"errors"
	"io"
	"os"
	"time"

	"github.com/actually-robust-training/art/record"
)

// MLflow sends a run to an MLflow tracking server: scalars and scores are
// metrics, by iteration; settings are parameters; verdicts and outcomes are
// tags; artifacts are uploaded through the server, and weights among them are
// checkpoints, see [MLflow.DownloadCheckpoint]. Vectors and texts stay in the
// event file.
//
// Metrics are named STEP/TRIAL/STAGE/NAME and parameters STEP.SETTING, each part
// left out where there is none; characters that MLflow does not allow become
// underscores. MLflow shows infinities as the largest number.
//
// The key is taken from MLFLOW_TRACKING_TOKEN, or from MLFLOW_TRACKING_USERNAME and
// MLFLOW_TRACKING_PASSWORD. MLFLOW_TRACKING_SERVER_CERT_PATH is a file of certificates
// to believe; MLFLOW_TRACKING_INSECURE_TLS, if it is true, believes all.
type MLflow struct {
	// Address of the server. Default MLFLOW_TRACKING_URI, then http://localhost:5000.
	Address string
	// Experiment that the run belongs to; it is made if there is none. Default
	// MLFLOW_EXPERIMENT_NAME, then the name of the recipe.
	Experiment string
	// Name is shown for the run. Default MLFLOW_RUN_NAME, then that of the recipe's run.
	Name string
	// Tags of the run, beside those of verdicts and outcomes.
	Tags map[string]string
	// Spool is where runs keep what is not sent yet, as RECIPE/RUN. Empty means
	// the directory of the run.
	Spool string
	// Grace is how long Close may wait for the server. Default 10 s.
	Grace time.Duration
	// Strict makes the trouble that Emit and Close tell of a failure of the test: their
	// errors have a method Strict() bool that returns true.
	Strict bool
	// W gets one line, with the address of the run, from another goroutine. Nil is
	// standard error.
	W io.Writer

	patience patience // of tests, and how long they let events gather
	linger   time.Duration
	page     runPage
	courier  *courier
	closed   bool
	err      error
}

func (m *MLflow) trouble(err error) error {
	if err != nil && m.Strict {
		return strictTrouble{err}
	}
	return err
}

// Emit puts the event into the spool.
func (m *MLflow) Emit(e record.Event) error {
	if m.closed {
		return m.trouble(lost("MLflow", &e, os.ErrClosed))
	}
	if m.courier == nil && m.err == nil {
		m.err = m.open(&e)
	}
	if m.err != nil {
		return m.trouble(lost("MLflow", &e, m.err))
	}
	return m.trouble(m.courier.Emit(e))
}

func (m *MLflow) open(e *record.Event) error {
	target := map[string]string{
		"address":    cmp.Or(m.Address, os.Getenv("MLFLOW_TRACKING_URI"), defaultMLflow),
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
	if shown := cmp.Or(m.Name, os.Getenv("MLFLOW_RUN_NAME")); shown != "" {
		target["name"] = shown
	}
	for tag, value := range m.Tags {
		target[mlflowTagPrefix+tag] = value
	}
	m.page.service, m.page.w = "MLflow", m.W
	if m.W == nil {
		m.page.w = os.Stderr
	}
	to.found = m.page.say
	c := &courier{name: name, spool: spool, grace: m.Grace, linger: m.linger}
	c.sender.patience = m.patience
	if err := c.start(to, fresh); err != nil {
		return err
	}
	m.courier = c
	return nil
}

const (
	defaultMLflow = "http://localhost:5000"
	// mlflowTagPrefix stands before the tags of the user in a target.
	mlflowTagPrefix = "tag "
)

// RunID returns the id that the server gave the run, and the address of its page.
// They are empty until the server has said so.
func (m *MLflow) RunID() (id, page string) { return m.page.what() }

// Close sends what is left, for no longer than Grace.
func (m *MLflow) Close() error {
	if m.closed {
		return nil
	}
	m.closed = true
	if m.courier == nil {
		return nil
	}
	return m.trouble(m.courier.Close())
}

// errNoRun is of a download that says no run, by a logger that has none.
var errNoRun = errors.New("this logger has no run yet: say which one")
