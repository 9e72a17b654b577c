package main

import (
	"fmt"
	"strings"
)

// markdown is the report as results.md.
func markdown(rep *report, targets []target, charts []namedChart) string {
	var b strings.Builder
	fmt.Fprint(&b, "# Results\n\n")
	lines := rep.Machine.lines()
	fmt.Fprintf(&b, "%s.  \n%s.\n\n", lines[0], lines[1])
	fmt.Fprint(&b, "Written by `go run .` in [benchmarks](..), which says how all this is measured. "+
		"The × after a value says how many times as good it is as that of the best peer at its best setting, "+
		"whatever the column: ×2.00 is twice the rate or half the time, below 1 is worse.\n")
	for i := range rep.Tables {
		t := &rep.Tables[i]
		fmt.Fprintf(&b, "\n## %s\n\n%s\n\n", t.Title, t.About)
		for _, c := range charts {
			if c.table == t.ID {
				fmt.Fprintf(&b, "![%s](%s)\n\n", c.chart.Title, c.file)
			}
		}
		b.WriteString(t.markdown())
	}
	if len(targets) > 0 {
		fmt.Fprint(&b, "\n## Targets\n\n| | driver | target | found |\n|---|---|---|---|\n")
		for _, t := range targets {
			fmt.Fprintf(&b, "| %s | %s | %s | %s |\n", t.verdict, t.driver, t.text, t.found)
		}
	}
	return b.String()
}

func (t *table) markdown() string {
	var b strings.Builder
	remarks := false
	for _, r := range t.Rows {
		remarks = remarks || len(r.Remarks) > 0
	}
	fmt.Fprint(&b, "| | |")
	for _, m := range t.Metrics {
		fmt.Fprintf(&b, " %s |", m.Name)
	}
	if remarks {
		fmt.Fprint(&b, " |")
	}
	fmt.Fprint(&b, "\n|---|---|", strings.Repeat("--:|", len(t.Metrics)))
	if remarks {
		fmt.Fprint(&b, "---|")
	}
	for _, r := range t.Rows {
		strong := ""
		if r.Library == ours {
			strong = "**"
		}
		fmt.Fprintf(&b, "\n| %s%s%s | %s |", strong, r.Library, strong, r.contender().how())
		for _, m := range t.Metrics {
			value, ratio := t.cell(r, m)
			if ratio != "" {
				ratio = " <sub>" + ratio + "</sub>"
			}
			fmt.Fprintf(&b, " %s%s%s%s |", strong, value, strong, ratio)
		}
		if remarks {
			fmt.Fprintf(&b, " %s |", strings.ReplaceAll(strings.Join(r.Remarks, ", "), "|", `\|`))
		}
	}
	fmt.Fprintln(&b)
	return b.String()
}
