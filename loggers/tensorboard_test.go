package loggers_test

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"image"
	"image/color"
	"image/png"
	"io"
	"io/fs"
	"math"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/actually-robust-training/art/loggers"
	"github.com/actually-robust-training/art/record"
	"github.com/actually-robust-training/art/record/recordtest"
)

func TestTensorBoard(t *testing.T) {
	keeps := func(e record.Event) (record.Event, bool) {
		switch e.Kind {
		case record.Scalar, record.Score:
			return record.Event{Kind: record.Scalar, Step: e.Step, Trial: e.Trial, Stage: e.Stage, Name: e.Name,
				Iteration: e.Iteration, Value: float64(float32(e.Value))}, true
		case record.Text:
			return record.Event{Kind: record.Text, Step: e.Step, Name: e.Name, Text: e.Text}, true
		}
		return e, false
	}
	recordtest.TestLossy(t, recordtest.Lossy{Keeps: keeps, Grouped: true}, func(t *testing.T) (record.Sink, func() ([]record.Event, error)) {
		dir := t.TempDir()
		return &loggers.TensorBoard{Dir: dir}, func() ([]record.Event, error) { return readTensorBoard(dir) }
	})
}

// readTensorBoard reads scalars and texts back from the files below dir.
func readTensorBoard(dir string) (events []record.Event, err error) {
	err = filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		inside, err := filepath.Rel(dir, filepath.Dir(path))
		if err != nil {
			return err
		}
		e := placeOf(strings.Split(filepath.ToSlash(inside), "/"))
		file, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		records, err := readRecords(file)
		if err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
		for _, r := range records[1:] {
			fields := readProto(r)
			value := readProto(readProto(fields[5].bytes)[1].bytes)
			e := e
			tag := string(value[1].bytes)
			switch text, isText := strings.CutPrefix(tag, "text/"); {
			case value[2].bytes != nil:
				e.Kind, e.Name, e.Iteration = record.Scalar, tag, int(fields[2].number)
				e.Value = float64(math.Float32frombits(binary.LittleEndian.Uint32(value[2].bytes)))
			case isText && text != "settings":
				e.Kind, e.Name, e.Text = record.Text, text, string(readProto(value[8].bytes)[8].bytes)
			default:
				continue
			}
			events = append(events, e)
		}
		return nil
	})
	return events, err
}

// placeOf is the step, trial and stage of a directory, in which a run may be.
func placeOf(parts []string) (e record.Event) {
	unescape := func(s string) string {
		u, err := url.PathUnescape(s)
		if s == "%" || err != nil {
			return ""
		}
		return u
	}
	if len(parts) > 1 && (parts[0] == "iris" && parts[1] == "7Q2K" || parts[0] == "texts") {
		parts = parts[2:]
	}
	if last := len(parts) - 1; last >= 0 && (parts[last] == "training" || parts[last] == "validation" || parts[last] == "test") {
		e.Stage, parts = parts[last], parts[:last]
	}
	if len(parts) > 0 {
		e.Step = unescape(parts[0])
	}
	if len(parts) > 1 {
		e.Trial = unescape(parts[1])
	}
	return e
}

func readRecords(file []byte) (records [][]byte, err error) {
	check := func(data, sum []byte) bool {
		c := crc32.Checksum(data, crc32.MakeTable(crc32.Castagnoli))
		return binary.LittleEndian.Uint32(sum) == (c>>15|c<<17)+0xa282ead8
	}
	for len(file) > 0 {
		n := binary.LittleEndian.Uint64(file)
		if !check(file[:8], file[8:12]) || !check(file[12:12+n], file[12+n:16+n]) {
			return records, errors.New("wrong checksum")
		}
		records = append(records, file[12:12+n])
		file = file[16+n:]
	}
	return records, nil
}

type protoField struct {
	number uint64
	bytes  []byte
}

// readProto keeps the last value of each field.
func readProto(b []byte) map[int]protoField {
	fields := map[int]protoField{}
	for len(b) > 0 {
		key, n := binary.Uvarint(b)
		b = b[n:]
		var f protoField
		size := uint64(map[uint64]int{1: 8, 5: 4}[key&7])
		switch key & 7 {
		case 0:
			f.number, n = binary.Uvarint(b)
			b = b[n:]
		case 2:
			size, n = binary.Uvarint(b)
			b = b[n:]
		}
		f.bytes = b[:size:size]
		b = b[size:]
		fields[int(key>>3)] = f
	}
	return fields
}

func TestTensorBoardKeepsNamesApart(t *testing.T) {
	dir := t.TempDir()
	tb := &loggers.TensorBoard{Dir: dir}
	names := []string{"a/b", "a:b", "a%b", "a%2Fb", "..", ".", "a.", "a ", "A b", strings.Repeat("x", 300), strings.Repeat("x", 301), "größe\n"}
	for _, name := range names {
		recordtest.Emit(t, tb, record.Event{Kind: record.Scalar, Step: name, Name: "loss"})
	}
	require.NoError(t, tb.Close())
	found, err := os.ReadDir(dir)
	require.NoError(t, err)
	assert.Len(t, found, len(names), "every step has a directory, and nothing is outside of it")
}

func TestTensorBoardErrors(t *testing.T) {
	assert.ErrorContains(t, (&loggers.TensorBoard{}).Emit(record.Event{Kind: record.Scalar}), "set TensorBoard.Dir")
	assert.ErrorContains(t, (&loggers.TensorBoard{}).Emit(record.Event{Kind: record.RunStart}), "set TensorBoard.Dir")
	assert.ErrorContains(t, (&loggers.TensorBoard{Dir: "tensorboard_test.go"}).Emit(record.Event{Kind: record.Scalar, Step: "s"}), "not a directory")

	run := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(run, "bad.png"), []byte("no picture"), 0o644))
	tb := &loggers.TensorBoard{}
	recordtest.Emit(t, tb, record.Event{Kind: record.RunStart, Settings: map[string]string{"directory": run}})
	for path, want := range map[string]string{"none.png": "no such file", "../x.png": "outside", "bad.png": "not a PNG"} {
		err := tb.Emit(record.Event{Kind: record.ArtifactSaved, Step: "s", Artifact: &record.Artifact{Path: path}})
		assert.ErrorContains(t, err, want)
	}
	require.NoError(t, tb.Close())
}

// The official package reads everything: as a user sees it, in the answers of
// its server.
func TestTensorBoardReadsWhatWeWrite(t *testing.T) {
	exe := python(t, "tensorboard-requirements.txt")
	run := t.TempDir()
	picture := image.NewGray(image.Rect(0, 0, 5, 3))
	picture.Set(1, 1, color.White)
	var file bytes.Buffer
	require.NoError(t, png.Encode(&file, picture))
	require.NoError(t, os.WriteFile(filepath.Join(run, "batch.png"), file.Bytes(), 0o644))

	tb := &loggers.TensorBoard{}
	for _, e := range recordtest.Example() {
		if e.Kind == record.RunStart {
			e.Settings["directory"] = run
		}
		recordtest.Emit(t, tb, e)
	}
	recordtest.Emit(t, tb,
		record.Event{Kind: record.ArtifactSaved, Time: time.Unix(1769860800, 0), Step: "overfit", Artifact: &record.Artifact{Name: "batch.png", Path: "batch.png"}},
		record.Event{Kind: record.Vector, Time: time.Unix(1769860800, 0), Step: "overfit", Name: "extremes", Iteration: 7, Values: []float64{-math.MaxFloat64, math.MaxFloat64, math.NaN(), 0}},
		record.Event{Kind: record.Text, Time: time.Unix(1769860800, 0), Step: "overfit", Name: "log", Text: "bad \xff bytes"})
	require.NoError(t, tb.Close())

	server := serve(t, regexp.MustCompile(`at (http://\S+?)/? `), exe, "-m", "tensorboard.main", "--logdir", run, "--port", "0", "--bind_all", "--load_fast", "true", "--reload_interval", "1")
	get := func(path string, answer any) { getJSON(t, server+"/data/plugin/"+path, answer) }

	t.Run("scalars", func(t *testing.T) {
		var points [][3]any
		require.Eventually(t, func() bool {
			var tags map[string]map[string]any
			get("scalars/tags", &tags)
			return tags["tensorboard/overfit/validation"]["accuracy"] != nil && tags["tensorboard/transfer-learning/freeze"]["loss"] != nil && len(tags) >= 10
		}, time.Minute, 500*time.Millisecond, "TensorBoard does not find the scalars")
		get("scalars/scalars?run=tensorboard%2Foverfit%2Ftraining&tag=loss", &points)
		require.Len(t, points, 12)
		for i, p := range points {
			assert.Equal(t, float64(i), p[1])
			assert.Equal(t, float64(float32(1.083/float64(i+1))), p[2])
		}
		assert.InDelta(t, 1769860800.019, points[0][0], 1e-5)
		get("scalars/scalars?run=tensorboard%2Ftransfer-learning%2Ffreeze&tag=loss", &points)
		require.Len(t, points, 5)
		assert.Equal(t, []any{0., 0., "Infinity", "-Infinity", "NaN"}, []any{points[0][2], points[1][2], points[2][2], points[3][2], points[4][2]})
	})
	t.Run("histograms", func(t *testing.T) {
		var histograms [][3]any
		get("histograms/histograms?run=tensorboard%2Fexplore-data%2Ftraining&tag=class+share", &histograms)
		require.Len(t, histograms, 1)
		third := recordtest.Example()[2].Values[0]
		assert.Equal(t, []any{[]any{third - 0.5, third + 0.5, 3.}}, histograms[0][2])
		get("histograms/histograms?run=tensorboard%2Foverfit&tag=extremes", &histograms)
		require.Len(t, histograms, 1)
		assert.Equal(t, 7., histograms[0][1])
		total := 0.
		for _, b := range histograms[0][2].([]any) {
			total += b.([]any)[2].(float64)
		}
		assert.Equal(t, 3., total, "the finite values are counted")
	})
	t.Run("images", func(t *testing.T) {
		var images []struct{ Query string }
		get("images/images?run=tensorboard%2Foverfit&tag=batch.png&sample=0", &images)
		require.Len(t, images, 1)
		answer, err := http.Get(server + "/data/plugin/images/individualImage?" + images[0].Query)
		require.NoError(t, err)
		defer answer.Body.Close()
		got, err := io.ReadAll(answer.Body)
		require.NoError(t, err)
		assert.Equal(t, file.Bytes(), got)
	})
	t.Run("text", func(t *testing.T) {
		var texts []struct{ Text string }
		get("text/text?run=tensorboard%2Fcheck-loss-on-init&tag=text%2Fstdout", &texts)
		require.Len(t, texts, 1)
		assert.Contains(t, texts[0].Text, "131 weights")
		get("text/text?run=tensorboard%2Fregularize&tag=checks%2Faccuracy-at-least", &texts)
		require.Len(t, texts, 1)
		assert.Contains(t, texts[0].Text, "<li>too much capacity for 120 rows</li>")
		get("text/text?run=tensorboard&tag=text%2Fsettings", &texts)
		require.Len(t, texts, 1)
		assert.Contains(t, texts[0].Text, "<td>150</td>")
		get("text/text?run=tensorboard%2Foverfit&tag=text%2Flog", &texts)
		require.Len(t, texts, 1)
		assert.Contains(t, texts[0].Text, "bad \ufffd bytes")
	})
	t.Run("hparams", func(t *testing.T) { testHParams(t, server) })
}

func testHParams(t *testing.T, server string) {
	body := `{"experimentName":"","allowedStatuses":["STATUS_SUCCESS","STATUS_FAILURE","STATUS_RUNNING","STATUS_UNKNOWN"],` +
		`"colParams":[{"metric":{"group":"validation","tag":"accuracy"}}],"startIndex":0,"sliceSize":100}`
	answer, err := http.Post(server+"/data/plugin/hparams/session_groups", "application/json", strings.NewReader(body))
	require.NoError(t, err)
	defer answer.Body.Close()
	var groups struct {
		SessionGroups []struct {
			Hparams  map[string]any
			Sessions []struct {
				Name, Status string
				MetricValues []struct {
					Name  struct{ Group, Tag string }
					Value any
				}
			}
		}
	}
	require.NoError(t, json.NewDecoder(answer.Body).Decode(&groups))
	got := map[string]string{}
	for _, g := range groups.SessionGroups {
		require.Len(t, g.Sessions, 1)
		s := g.Sessions[0]
		got[s.Name] = fmt.Sprint(s.Status, " ", g.Hparams)
		for _, m := range s.MetricValues {
			if m.Name.Tag == "accuracy" && m.Name.Group == "validation" {
				got[s.Name] += fmt.Sprintf(" %.4v", m.Value)
			}
		}
	}
	assert.Equal(t, "STATUS_SUCCESS map[epochs:3 learning rate:0.003] 0.6667", got["tensorboard/overfit"])
	assert.Equal(t, "STATUS_FAILURE map[weight decay:0, 0.001]", got["tensorboard/regularize"])
	assert.Len(t, got, 7)
}

func getJSON(t *testing.T, address string, to any) {
	t.Helper()
	answer, err := http.Get(address)
	require.NoError(t, err)
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	require.NoError(t, err)
	require.Equal(t, http.StatusOK, answer.StatusCode, "%s: %s", address, body)
	require.NoError(t, json.Unmarshal(body, to), "%s: %s", address, body)
}
