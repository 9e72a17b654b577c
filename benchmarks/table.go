package main

// A report is all that a run has found out. It is written as results.json, from
// which the other forms can be made again.
type report struct {
	Machine    machine
	Ping       float64 // the median of one after the other, in nanoseconds
	PausedPing float64 // and after a pause
	Tables     []table
}

// A table is one measurement.
type table struct {
	ID      string
	Title   string
	About   string
	Metrics []metric
	Rows    []row
}

// A metric is a column.
type metric struct {
	ID     string
	Name   string
	Kind   kind
	Better direction
}

type direction int

const (
	neither direction = 0
	more    direction = 1
	less    direction = -1
)

// A row is what was measured of one contender. A value that is missing could not
// be measured, and a remark says why.
type row struct {
	Library, Driver, Setting string

	Values  map[string]float64
	Remarks []string
	Broken  bool // it let two in at a time, so that its values are those of no lock
}

func (r row) contender() contender {
	return contender{Library: r.Library, Driver: r.Driver, Setting: r.Setting}
}

// has is whether all of the metrics have a value.
func (r row) has(metrics ...string) bool {
	for _, m := range metrics {
		if _, ok := r.Values[m]; !ok {
			return false
		}
	}
	return true
}

func (r *report) table(id string) *table {
	for i := range r.Tables {
		if r.Tables[i].ID == id {
			return &r.Tables[i]
		}
	}
	return nil
}

func (t *table) metric(id string) metric {
	for _, m := range t.Metrics {
		if m.ID == id {
			return m
		}
	}
	return metric{ID: id, Name: id}
}

// best is the best value of a metric among the rows that which chooses.
func (t *table) best(m metric, which func(row) bool) (best float64, ok bool) {
	for _, r := range t.Rows {
		v, has := r.Values[m.ID]
		if !has || r.Broken || !which(r) {
			continue
		}
		if !ok || float64(m.Better)*(v-best) > 0 {
			best, ok = v, true
		}
	}
	return best, ok
}

func isPeer(r row) bool { return r.contender().isPeer() }

// ratio is how many times as good as the best peer r is, by m: more than 1 is
// better, whatever the metric.
func (t *table) ratio(r row, m metric) (ratio float64, ok bool) {
	v, has := r.Values[m.ID]
	best, found := t.best(m, isPeer)
	if !has || !found || m.Better == neither || v <= 0 || best <= 0 {
		return 0, false
	}
	if m.Better == less {
		return best / v, true
	}
	return v / best, true
}
