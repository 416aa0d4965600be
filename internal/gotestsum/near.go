package main

import (
	"slices"
	"strings"
)

// suggest answers a wrong name: the likeliest right ones, or all of them.
func suggest(wrong string, right []string) string {
	type candidate struct {
		name     string
		distance int
	}
	var near []candidate
	for _, name := range right {
		d := distance(plain(wrong), plain(name))
		if d <= 1+len(wrong)/5 {
			near = append(near, candidate{name, d})
		}
	}
	if len(near) == 0 {
		if len(right) == 0 {
			return "there are none"
		}
		return "there are " + strings.Join(right, ", ")
	}
	slices.SortStableFunc(near, func(a, b candidate) int { return a.distance - b.distance })
	names := make([]string, 0, 3)
	for _, c := range near[:min(3, len(near))] {
		names = append(names, `"`+c.name+`"`)
	}
	return "did you mean " + strings.Join(names, " or ") + "?"
}

// plain removes what is easily mistaken: case, dashes and underscores.
func plain(name string) string {
	return strings.NewReplacer("-", "", "_", "").Replace(strings.ToLower(name))
}

// distance counts the letters to add, drop or replace to turn a into b
// (Levenshtein), one row at a time.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			change := diagonal
			if a[i] != b[j] {
				change++
			}
			diagonal = row[j+1]
			row[j+1] = min(change, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
