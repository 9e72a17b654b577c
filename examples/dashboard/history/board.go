package history

import (
	"encoding/json"
	"errors"
	"os"
	"strings"
	"time"
)

// A Board is what matters here of a dashboard of Grafana.
type Board struct {
	UID    string  `json:"uid"`
	Title  string  `json:"title"`
	Panels []Panel `json:"panels"`

	Templating struct {
		Variables []Variable `json:"list"`
	} `json:"templating"`
}

// A Variable is what one chooses at the top of a board. Source is what the choice is
// of: a kind of data source, or a query for labels.
type Variable struct {
	Name       string     `json:"name"`
	Type       string     `json:"type"`
	Source     any        `json:"query"`
	Definition string     `json:"definition"` // the query as the list of variables shows it
	Datasource Datasource `json:"datasource"`
	Multi      bool       `json:"multi"`
	IncludeAll bool       `json:"includeAll"`
	AllValue   string     `json:"allValue"`
}

// A Datasource is who answers a query.
type Datasource struct{ Type, UID string }

// A Panel shows some queries. Kind is timeseries, or stat for a single number.
type Panel struct {
	ID          int        `json:"id"`
	Kind        string     `json:"type"`
	Title       string     `json:"title"`
	Description string     `json:"description"`
	Datasource  Datasource `json:"datasource"`
	GridPos     Place      `json:"gridPos"`
	Targets     []Target   `json:"targets"`
	Field       struct {
		Defaults struct {
			Unit   string `json:"unit"`
			Custom struct {
				Scale struct {
					Type string `json:"type"` // log, or nothing
				} `json:"scaleDistribution"`
			} `json:"custom"`
		} `json:"defaults"`
	} `json:"fieldConfig"`
}

// A Place is where a panel is, in units of which a board is 24 wide.
type Place struct{ X, Y, W, H int }

// A Target is one query of a panel, and how its series are called.
type Target struct {
	Expr       string     `json:"expr"`
	Legend     string     `json:"legendFormat"`
	Datasource Datasource `json:"datasource"`
}

// ReadBoard reads a dashboard from a file.
func ReadBoard(file string) (Board, error) {
	var b Board
	content, err := os.ReadFile(file)
	if err == nil {
		err = json.Unmarshal(content, &b)
	}
	if err == nil && len(b.Panels) == 0 {
		err = errors.New(file + " has no panels")
	}
	return b, err
}

// Query returns the query with what Grafana would put in place of its variables: all
// jobs, instances and classes, the window for rates, and the time that is shown.
func (t Target) Query(window, shown time.Duration) string {
	return strings.NewReplacer(
		"$job", ".*", "$instance", ".*", "$class", ".*",
		"$__rate_interval", window.String(), "$__range", shown.String(),
	).Replace(t.Expr)
}
