package arttest

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"reflect"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/actually-robust-training/art/internal/fingerprint"
	"github.com/actually-robust-training/art/train"
)

// printer finds out what the steps of a recipe depend on. What it cannot find out
// is never reused, and fails nothing.
type printer struct {
	reader *fingerprint.Reader
	recipe fingerprint.Call         // of New
	shared []fingerprint.Ingredient // of all steps
	err    error                    // why no step has a print
}

// reading is the longest that data is read for fingerprints, all of a step's
// together. Data that takes longer should bring a train.Data.Digest.
const reading = 20 * time.Second

// printOf sets the fingerprint of a step, or why it has none.
func (r *R) printOf(t *testing.T, st *step) {
	if st.sum != "" || st.unknown != nil {
		return
	}
	ctx, cancel := context.WithTimeoutCause(t.Context(), reading,
		fmt.Errorf("reading the data takes more than %v: set train.Data.Digest to a hash of its content", reading))
	defer cancel()
	st.unknown = contain(func() error {
		p, err := r.prints.of(ctx, r.recipe, st)
		if err == nil {
			st.print, st.sum = p, p.Sum()
		}
		return err
	})
}

func (p *printer) of(ctx context.Context, recipe Recipe, st *step) (fingerprint.Print, error) {
	var all fingerprint.Print
	if st.plan.Options.Fresh {
		return all, fmt.Errorf("its Options.Fresh is set")
	}
	if p.shared == nil && p.err == nil {
		p.shared, p.err = p.common(ctx, recipe)
	}
	if p.err != nil {
		return all, p.err
	}
	all.Add(p.shared...)
	all.Add(fingerprint.Settings(st.plan.Name, st.plan.Settings)...)
	all.Add(fingerprint.Settings(st.plan.Name, map[string]string{
		"own batch size": strconv.Itoa(st.plan.Options.BatchSize), "metrics left out": strings.Join(st.plan.Options.WithoutMetrics, ", ")})[1:]...)
	if st.seeds > 0 {
		all.Add(seedsOf(st.seeds)[1:]...)
	}
	for _, held := range fingerprint.HeldBy(st.Stepper) {
		in, err := fingerprint.Data(ctx, "data of "+held.Where, held.Data, recipe.Seed)
		if err != nil {
			return all, err
		}
		all.Add(in...)
	}
	for _, m := range modelsOf(st.Stepper) {
		learner, err := m.Build(recipe.Data, recipe.Data.Training, recipe.Seed)
		if err != nil {
			return all, err
		}
		all.Add(fingerprint.Structure(m.Name, learner))
	}
	if st.plan.Inputs != nil {
		h := sha256.New()
		if err := st.plan.Inputs(h); err != nil {
			return all, err
		}
		all.Add(fingerprint.Ingredient{Name: "inputs of the step", Digest: hex.EncodeToString(h.Sum(nil)), Shown: "what it reads beside the data"})
	}
	code, err := p.reader.Code([]fingerprint.Site{
		{Call: p.recipe, First: 1, Last: -1}, {Call: st.call, First: 1, Last: 1},
	}, st.Stepper, recipe.Decorators)
	if err != nil {
		return all, err
	}
	all.Add(code...)
	for _, need := range st.needs {
		if need.sum == "" {
			return all, fmt.Errorf("it needs %s, of which that is not known: %w", need.plan.Name, need.unknown)
		}
		all.Add(fingerprint.Upstream(need.plan.Name, need.sum))
	}
	return all, nil
}

// common is what all steps of a recipe share.
func (p *printer) common(ctx context.Context, recipe Recipe) ([]fingerprint.Ingredient, error) {
	reader, err := fingerprint.NewReader()
	if err != nil {
		return nil, err
	}
	p.reader = reader
	engine, err := reader.Engine()
	if err != nil {
		return nil, err
	}
	data, err := fingerprint.Data(ctx, "data", recipe.Data, recipe.Seed)
	if err != nil {
		return nil, err
	}
	return append(append(engine, data...), fingerprint.Seed(recipe.Seed)), nil
}

// modelsOf are the models in the exported fields of a step.
func modelsOf(step Stepper) []train.Model {
	v := reflect.ValueOf(step)
	for v.Kind() == reflect.Pointer && !v.IsNil() {
		v = v.Elem()
	}
	if v.Kind() != reflect.Struct {
		return nil
	}
	var models []train.Model
	for i := range v.NumField() {
		if !v.Type().Field(i).IsExported() {
			continue
		}
		switch field := v.Field(i).Interface().(type) {
		case train.Model:
			if field.New != nil {
				models = append(models, field)
			}
		case []train.Model:
			models = append(models, field...)
		}
	}
	return models
}
