package redistest

import (
	"fmt"
	"slices"
	"strings"

	"github.com/gomodule/redigo/redis"
)

// member is a node of a cluster, as another one sees it.
type member struct {
	id     string
	addr   string
	flags  []string
	master string   // the id of whom it replicates, "-" if it is a master
	slots  []string // as "7" or "0-5460"
}

// members returns all nodes that this one knows, itself among them.
func (s *Server) members() ([]member, error) {
	text, err := redis.String(s.do("CLUSTER", "NODES"))
	if err != nil {
		return nil, err
	}
	var all []member
	for line := range strings.Lines(text) {
		fields := strings.Fields(line)
		if len(fields) < 8 {
			return nil, fmt.Errorf("%s says of a node only %q", s.Addr(), line)
		}
		addr, _, _ := strings.Cut(fields[1], "@")
		m := member{id: fields[0], addr: addr, flags: strings.Split(fields[2], ","), master: fields[3]}
		for _, slot := range fields[8:] {
			if slot[0] != '[' { // or it is only on its way
				m.slots = append(m.slots, slot)
			}
		}
		all = append(all, m)
	}
	return all, nil
}

// is reports whether the node has a flag, as "master" or "myself".
func (m member) is(flag string) bool { return slices.Contains(m.flags, flag) }

// has reports whether the node is the master of slot.
func (m member) has(slot int64) bool {
	for _, text := range m.slots {
		var first, last int64
		n, _ := fmt.Sscanf(text, "%d-%d", &first, &last)
		if n == 1 {
			last = first
		}
		if n > 0 && first <= slot && slot <= last {
			return m.is("master")
		}
	}
	return false
}

// isBalanced says what this node still misses of a cluster where each master has as
// many replicas as any other, all of which are known and in step.
func (s *Server) isBalanced(nodes, masters int) error {
	all, err := s.members()
	if err != nil {
		return err
	}
	replicas := make(map[string]int)
	for _, m := range all {
		if m.is("fail") || m.is("fail?") || m.is("handshake") {
			return fmt.Errorf("%s says of %s that it is %v", s.Addr(), m.addr, m.flags)
		}
		if m.is("slave") {
			replicas[m.master]++
			if m.is("myself") {
				if err := s.isReplica(); err != nil {
					return err
				}
			}
		}
	}
	for _, m := range all {
		if m.is("master") && replicas[m.id] != nodes/masters-1 {
			return fmt.Errorf("%s knows %d replicas of %s", s.Addr(), replicas[m.id], m.addr)
		}
	}
	return nil
}
