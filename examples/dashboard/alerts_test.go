package main

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/prometheus/prometheus/model/labels"
)

// Every alert is seen to fire, and to be quiet in all other scenarios.
func TestAlerts(t *testing.T) {
	rules, seen := readRules(t), map[string]bool{}
	used := regexp.MustCompile(`\$labels\.(\w+)`)
	for _, c := range scenarios {
		p := newPast(t)
		for _, class := range []string{"invoices", "leader"} { // another job has no trouble
			p.pool("z", class).job = "shop"
		}
		c.past(p)
		p.scrape()
		var got []string
		for name, rule := range rules {
			for _, f := range p.firings(t, rule) {
				got, seen[name] = append(got, f.String()), true
				for _, text := range rule.Annotations {
					for _, label := range used.FindAllStringSubmatch(text, -1) {
						if !f.labels.Has(label[1]) {
							t.Errorf("%s quotes the label %s, which it has not", f, label[1])
						}
					}
				}
			}
		}
		slices.Sort(got)
		if !slices.Equal(got, c.fires) {
			t.Errorf("%s:\n got %s\nwant %s", c.what, strings.Join(got, "\n     "), strings.Join(c.fires, "\n     "))
		}
	}
	for name := range rules {
		if !seen[name] {
			t.Errorf("%s is never seen to fire", name)
		}
	}
}

// What whoever is woken reads, and where it leads.
func TestAlertTexts(t *testing.T) {
	const guide = "docs/guides/production.md"
	page, err := os.ReadFile("../../" + guide)
	if err != nil {
		t.Fatal(err)
	}
	_, section, ok := strings.Cut(string(page), "\n## When to wake somebody\n")
	if !ok {
		t.Fatal("the guide has no such section")
	}
	set := labels.FromStrings("job", "a/b", "instance", "a:9464", "class", "a&b", "cause", "deadline")
	want := map[string][2]string{
		"DislockLost":             {"critical", "a:9464 lost locks for a&b: deadline"},
		"DislockHeldTooLong":      {"warning", "a:9464 held a lock for a&b for too long"},
		"DislockRenewalsFail":     {"warning", "a:9464 can not renew its locks for a&b"},
		"DislockWaitSlow":         {"warning", "Locks for a&b in a/b are slow to get"},
		"DislockNobodyGetsIt":     {"critical", "Nobody in a/b gets a lock for a&b"},
		"DislockQueueStandsStill": {"warning", "Whoever holds a&b in a/b does not let go"},
		"DislockStoreUnavailable": {"warning", "The store gives a/b no answer, or no locks"},
		"DislockGiveUps":          {"warning", "Most of those in a/b who wait for a&b give up"},
	}
	rules := readRules(t)
	if len(rules) != len(want) {
		t.Errorf("%d alerts, want %d", len(rules), len(want))
	}
	for name, rule := range rules {
		texts := map[string]string{}
		for what, text := range rule.Annotations {
			texts[what] = say(t, text, set, 12.5)
		}
		if got := [2]string{rule.Labels["severity"], texts["summary"]}; got != want[name] {
			t.Errorf("%s is %q, want %q", name, got, want[name])
		}
		if strings.Contains(texts["description"], "12.5 ") || texts["description"] == "" {
			t.Errorf("%s says %q", name, texts["description"])
		}
		if texts["runbook_url"] != "https://github.com/dislock/dislock/blob/main/"+guide+"#when-to-wake-somebody" || !strings.Contains(section, "`"+name+"`") {
			t.Errorf("%s leads to %s, and that should say what to do", name, texts["runbook_url"])
		}
		link := "/d/" + readBoard(t).UID + "?var-job=a%2Fb"
		if strings.Contains(rule.Annotations["summary"], "class") {
			link += "&var-class=a%26b"
		}
		if texts["dashboard"] != link {
			t.Errorf("%s shows %s, want %s", name, texts["dashboard"], link)
		}
	}
}
