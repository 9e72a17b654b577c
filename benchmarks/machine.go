package main

import (
	"fmt"
	"os"
	"path"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// A machine is where, when and with what a run was made.
type machine struct {
	CPU       string
	Cores     int
	Kernel    string
	Go, Redis string
	Libraries []string // with their versions
	Date      string
	Plan      string
	Placement string // of the server on the cores
}

func describe(s *server, p plan, placement string) machine {
	return machine{
		CPU: cpu(), Cores: cores(), Kernel: kernel(),
		Go: strings.TrimPrefix(runtime.Version(), "go"), Redis: s.version,
		Libraries: libraries(), Date: time.Now().Format(time.DateOnly), Plan: p.Name, Placement: placement,
	}
}

// cpu is the model, as far as the system tells it.
func cpu() string {
	b, _ := os.ReadFile("/proc/cpuinfo")
	for line := range strings.Lines(string(b)) {
		if name, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(name) == "model name" {
			value = strings.NewReplacer("(R)", "", "(TM)", "").Replace(value)
			return strings.Join(strings.Fields(value), " ")
		}
	}
	return runtime.GOARCH
}

// cores is how many the machine has. runtime.NumCPU is how many are left to us.
func cores() int {
	b, _ := os.ReadFile("/proc/cpuinfo")
	if n := strings.Count("\n"+string(b), "\nprocessor\t"); n > 0 {
		return n
	}
	return runtime.NumCPU()
}

func kernel() string {
	var u unix.Utsname
	if err := unix.Uname(&u); err != nil {
		return runtime.GOOS
	}
	return unix.ByteSliceToString(u.Sysname[:]) + " " + unix.ByteSliceToString(u.Release[:])
}

// libraries are those that are measured and their drivers, in the versions that
// this program was built with.
func libraries() (versions []string) {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return nil
	}
	for _, name := range []string{"redsync/v4", "redislock", "rueidis", "redigo", "go-redis/v9"} {
		i := slices.IndexFunc(info.Deps, func(m *debug.Module) bool { return strings.HasSuffix(m.Path, "/"+name) })
		if i < 0 {
			continue
		}
		if dir, base := path.Split(name); strings.HasPrefix(base, "v") {
			name = strings.TrimSuffix(dir, "/")
		}
		versions = append(versions, name+" "+strings.TrimPrefix(info.Deps[i].Version, "v"))
	}
	return versions
}

// lines are the machine in two lines of small print.
func (m machine) lines() [2]string {
	how := ""
	if m.Plan == quick.Name {
		how = ", a quick run: few and short rounds"
	}
	return [2]string{
		fmt.Sprintf("%s, %d cores, %s, Go %s, Redis %s %s, %s%s", m.CPU, m.Cores, m.Kernel, m.Go, m.Redis, m.Placement, m.Date, how),
		strings.Join(m.Libraries, ", "),
	}
}
