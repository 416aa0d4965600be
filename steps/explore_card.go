package steps

import (
	"fmt"
	"io"
	"strings"

	"github.com/actually-robust-training/art/checks"
)

const (
	featuresOnCard = 64
	classesOnCard  = 100
)

// card writes what was seen as a page for people.
func (x exploration) card(w io.Writer) error {
	var b strings.Builder
	title := x.data.Name
	if title == "" {
		title = "data"
	}
	fmt.Fprintf(&b, "# Data card: %s\n\n", cell(title))
	fmt.Fprintf(&b, "- inputs: shape %v a row%s\n", x.shape, map[bool]string{true: fmt.Sprintf(", token ids of a vocabulary of %d", x.data.Tokens)}[x.data.Tokens > 0])
	if k := len(x.data.Classes); k > 0 {
		fmt.Fprintf(&b, "- targets: shape %v a row, ids of %d classes\n", x.targetShape, k)
	} else {
		fmt.Fprintf(&b, "- targets: shape %v a row, values of a regression\n", x.targetShape)
	}
	fmt.Fprintf(&b, "- batch size: %d\n\n", x.data.BatchSize)
	x.stageTable(&b)
	x.featureTable(&b)
	if len(x.data.Classes) > 0 {
		x.classTable(&b)
	} else {
		x.targetTable(&b)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func (x exploration) stageTable(b *strings.Builder) {
	b.WriteString("| stage | rows | batches | NaN or infinite | targets out of range | left out |\n| --- | ---: | ---: | ---: | ---: | ---: |\n")
	for _, f := range x.stages {
		fmt.Fprintf(b, "| %s | %d | %d | %d | %d | %d |\n", f.name, f.rows, f.batches, f.notFinite.count, f.wrong.count, f.leftOut)
	}
}

func (x exploration) featureTable(b *strings.Builder) {
	fmt.Fprintf(b, "\n## Inputs\n\n| input | stage | mean | std | min | max |\n| --- | --- | ---: | ---: | ---: | ---: |\n")
	for g := range x.training().features[:min(x.groups, featuresOnCard)] {
		for _, f := range x.stages {
			b.WriteString(momentsRow(x.group(g), f.name, &f.features[g]))
		}
	}
	if more := x.groups - featuresOnCard; more > 0 {
		fmt.Fprintf(b, "\n%d more are not listed.\n", more)
	}
}

func (x exploration) targetTable(b *strings.Builder) {
	fmt.Fprintf(b, "\n## Targets\n\n| target | stage | mean | std | min | max |\n| --- | --- | ---: | ---: | ---: | ---: |\n")
	for j := range x.training().targets[:min(len(x.training().targets), featuresOnCard)] {
		for _, f := range x.stages {
			b.WriteString(momentsRow(fmt.Sprintf("target %d", j), f.name, &f.targets[j]))
		}
	}
}

func momentsRow(name, stage string, p *powers) string {
	n := checks.Number
	return fmt.Sprintf("| %s | %s | %s | %s | %s | %s |\n", cell(name), stage, n(p.centre()), n(p.std()), n(p.min), n(p.max))
}

func (x exploration) classTable(b *strings.Builder) {
	b.WriteString("\n## Classes\n\n| id | class |")
	rule := "\n| ---: | --- |"
	for _, f := range x.stages {
		fmt.Fprintf(b, " %s |", f.name)
		rule += " ---: |"
	}
	b.WriteString(rule + "\n")
	for id, name := range x.data.Classes[:min(len(x.data.Classes), classesOnCard)] {
		fmt.Fprintf(b, "| %d | %s |", id, cell(name))
		for _, f := range x.stages {
			fmt.Fprintf(b, " %.0f |", x.counts(f)[id])
		}
		b.WriteString("\n")
	}
	if more := len(x.data.Classes) - classesOnCard; more > 0 {
		fmt.Fprintf(b, "\n%d more are not listed.\n", more)
	}
}

// cell keeps a name from breaking a table.
func cell(s string) string {
	return strings.NewReplacer("|", "\\|", "\n", " ", "\r", " ").Replace(s)
}
