package loggers

import (
	"bytes"
	"context"
	"errors"
	"maps"
	"net/url"
	"os"
	"runtime"
	"slices"
	"strings"
)

const createRunFiles = `mutation CreateRunFiles($entity:String!,$project:String!,$run:String!,$files:[String!]!) {
 createRunFiles(input:{entityName:$entity,projectName:$project,runName:$run,files:$files}) {
  uploadHeaders files { name uploadUrl } } }`

// grantFiles asks for addresses to put files of the run. The service may give none
// for some.
func (w *wandb) grantFiles(ctx context.Context, p position, names []string) (addresses map[string]string, headers []string, err error) {
	var got struct {
		CreateRunFiles struct {
			UploadHeaders []string
			Files         []struct {
				Name      string
				UploadURL *string
			}
		}
	}
	variables := map[string]any{"entity": p.Remote["entity"], "project": p.Remote["project"], "run": p.Remote["run"], "files": names}
	if err := w.graphql(ctx, "CreateRunFiles", createRunFiles, variables, &got); err != nil {
		return nil, nil, err
	}
	addresses = map[string]string{}
	for _, f := range got.CreateRunFiles.Files {
		if f.UploadURL != nil {
			address, err := url.Parse(w.rest.client.BaseURL)
			if err != nil {
				return nil, nil, err
			}
			if address, err = address.Parse(*f.UploadURL); err != nil {
				return nil, nil, errors.New("the server gave an address for a file that is none")
			}
			addresses[f.Name] = address.String()
		}
	}
	return addresses, got.CreateRunFiles.UploadHeaders, nil
}

// sendFiles uploads the files of the batch and returns the names of those that are
// there.
func (w *wandb) sendFiles(ctx context.Context, b *wandbBatch) (uploaded []string, err error) {
	wanted := slices.DeleteFunc(slices.Clone(b.files), func(f wandbFile) bool { return w.settings().ignores(f.name) })
	for files := range slices.Chunk(wanted, maxNames) {
		var names []string
		for _, f := range files {
			names = append(names, f.name)
		}
		addresses, headers, err := w.grantFiles(ctx, *b.p, names)
		if err != nil {
			return nil, err
		}
		for _, f := range files {
			address, granted := addresses[f.name]
			if !granted {
				continue
			}
			there, err := b.arrived(f.event, w.put(ctx, address, headers, f.path))
			if err != nil {
				return nil, err
			}
			if there {
				uploaded = append(uploaded, f.name)
			}
		}
	}
	return uploaded, nil
}

// sendOwnFiles uploads what clients write themselves: what is known of the machine
// at the begin, config and summary at the end.
func (w *wandb) sendOwnFiles(ctx context.Context, b *wandbBatch) (uploaded []string, err error) {
	content := map[string][]byte{}
	if b.started {
		if content["wandb-metadata.json"], err = encodeJSON(w.metadata(b)); err != nil {
			return nil, err
		}
	}
	if b.exit != nil {
		content["wandb-summary.json"] = []byte(b.summaryJSON())
		content["config.yaml"] = []byte(b.configJSON()) // JSON is YAML
	}
	maps.DeleteFunc(content, func(name string, _ []byte) bool { return w.settings().ignores(name) })
	names := slices.Sorted(maps.Keys(content))
	if len(names) == 0 {
		return nil, nil
	}
	addresses, headers, err := w.grantFiles(ctx, *b.p, names)
	if err != nil {
		return nil, err
	}
	for _, name := range names {
		address, granted := addresses[name]
		if !granted {
			continue
		}
		err := w.putBytes(ctx, address, headers, bytes.NewReader(content[name]), int64(len(content[name])))
		var no refusal
		if errors.As(err, &no) {
			continue // the stream says the same
		}
		if err != nil {
			return nil, err
		}
		uploaded = append(uploaded, name)
	}
	return uploaded, nil
}

// metadata describes the machine and the program.
func (w *wandb) metadata(b *wandbBatch) map[string]any {
	m := map[string]any{"os": runtime.GOOS, "startedAt": b.Started.UTC().Format("2006-01-02T15:04:05.000000Z")}
	for name, setting := range map[string]string{"host": "host", "program": "program"} {
		if b.p.Target[setting] != "" {
			m[name] = b.p.Target[setting]
		}
	}
	if commit := b.p.Target["commit"]; commit != "" {
		m["git"] = map[string]string{"commit": commit, "remote": b.p.Target["repo"]}
	}
	return m
}

// stampLength is that of the time before a line of the console.
const stampLength = len("2006-01-02T15:04:05.000000 ")

// outputName is what clients call the console of a run, as a file.
const outputName = "output.log"

// keepOutput adds the console lines of the batch to a file, without their times; when
// the run ends that file becomes one of the run. An attempt that is made again writes
// the same to the same place.
func (w *wandb) keepOutput(b *wandbBatch) error {
	var text strings.Builder
	for _, line := range b.console {
		text.WriteString(line[stampLength:])
		text.WriteByte('\n')
	}
	at := b.Output
	b.Output += int64(text.Len())
	if b.Output == 0 {
		return nil
	}
	f, err := os.OpenFile(w.output, os.O_WRONLY|os.O_CREATE, 0o644)
	if err != nil {
		return err
	}
	_, err = f.WriteAt([]byte(text.String()), at)
	if b.exit != nil {
		err = errors.Join(err, f.Truncate(b.Output))
		b.files = append(b.files, wandbFile{outputName, w.output, eventNone})
	}
	return errors.Join(err, f.Close())
}

func (w *wandb) beside(path string) { w.output = path + outputSuffix }
