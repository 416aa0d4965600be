package loggers

import (
	"errors"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"reflect"
)

// maxTableRows is how many rows a table of a run may have.
const maxTableRows = 10_000

// table keeps the table twice, as the official client does: as a file of the run,
// which the page shows, and as a version of an artifact, which can be queried.
func (m *mediaFiles) table(key string, t WandBTable) (string, error) {
	if len(t.Columns) == 0 || len(t.Rows) > maxTableRows {
		return "", fmt.Errorf("a table has columns, and up to %d rows: it has %d and %d", maxTableRows, len(t.Columns), len(t.Rows))
	}
	columns, err := appendValue(nil, reflect.ValueOf(t.Columns), 0)
	if err != nil {
		return "", err
	}
	data := []byte{'['}
	types := make([]map[string]bool, len(t.Columns))
	for i, row := range t.Rows {
		if len(row) != len(t.Columns) {
			return "", fmt.Errorf("row %d of the table has %d cells, for %d columns", i, len(row), len(t.Columns))
		}
		if i > 0 {
			data = append(data, ',')
		}
		if data, err = appendValue(data, reflect.ValueOf(row), 0); err != nil {
			return "", fmt.Errorf("row %d of the table: %w", i, err)
		}
		for c, cell := range row {
			if types[c] == nil {
				types[c] = map[string]bool{}
			}
			types[c][cellType(cell)] = true
		}
	}
	data = append(data, ']')
	body := `"columns":` + string(columns) + `,"data":` + string(data)
	counts := map[string]string{"ncols": fmt.Sprint(len(t.Columns)), "nrows": fmt.Sprint(len(t.Rows)), "log_mode": `"IMMUTABLE"`}
	a, inside, err := m.tableVersion(key, `{"_type":"table",`+body+`,"ncols":`+counts["ncols"]+`,"nrows":`+counts["nrows"]+
		`,"log_mode":"IMMUTABLE","column_types":`+columnTypes(t.Columns, types)+`}`)
	if err != nil {
		return "", err
	}
	counts["artifact_path"] = string(appendText(nil, "wandb-client-artifact://"+a.Client+"/"+inside))
	counts["_latest_artifact_path"] = string(appendText(nil, "wandb-client-artifact://"+a.Sequence+":latest/"+inside))
	m.tables = append(m.tables, a)
	return m.file(mediaTable, key, []byte("{"+body+"}"), "", counts)
}

// tableVersion is the artifact behind a table, with its one file.
func (m *mediaFiles) tableVersion(key, content string) (a *wandbArtifact, inside string, err error) {
	a = &wandbArtifact{Name: artifactName("run-" + m.run + "-" + key), Type: "run_table", Client: clientID(), Sequence: clientID()}
	local := filepath.Join("files", "artifacts", a.Client[:16], "table.json")
	file := filepath.Join(m.dir, local)
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		return nil, "", err
	}
	if err := os.WriteFile(file, []byte(content), 0o644); err != nil {
		return nil, "", err
	}
	inside = path.Clean(key) + ".table.json"
	if !filepath.IsLocal(filepath.FromSlash(inside)) {
		return nil, "", errors.New("its name cannot be that of a file")
	}
	a.Files = map[string]string{inside: filepath.ToSlash(local)}
	return a, inside, nil
}

// cellType is what the service calls the type of a cell.
func cellType(cell any) string {
	v := reflect.ValueOf(cell)
	for v.Kind() == reflect.Pointer || v.Kind() == reflect.Interface {
		v = v.Elem()
	}
	switch {
	case !v.IsValid():
		return "none"
	case v.CanInt(), v.CanUint(), v.CanFloat():
		return "number"
	case v.Kind() == reflect.Bool:
		return "boolean"
	case v.Kind() == reflect.String:
		return "string"
	case v.Kind() == reflect.Slice, v.Kind() == reflect.Array:
		return "list"
	}
	return "typedDict"
}

// columnTypes says of each column which types its cells have; all may be empty.
func columnTypes(columns []string, types []map[string]bool) string {
	all := map[string]string{}
	for c, name := range columns {
		allowed := `{"wb_type":"none"}`
		for kind := range sorted(types[c]) {
			if kind != "none" {
				allowed += `,{"wb_type":"` + kind + `"}`
			}
		}
		all[name] = `{"wb_type":"union","params":{"allowed_types":[` + allowed + `]}}`
	}
	return `{"wb_type":"typedDict","params":{"type_map":` + string(appendFields(nil, all)) + `}}`
}
