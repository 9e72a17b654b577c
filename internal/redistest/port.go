package redistest

import (
	"errors"
	"math/rand/v2"
	"net"
	"strconv"
)

// A server listens on a port in [firstPort, firstPort+portRange), a node of a
// cluster also on its bus, busOffset above. Neither range meets the other or the
// ports that kernels hand out to outgoing connections, which would otherwise
// take the port of a server that is killed and to be restarted.
const (
	firstPort = 10000
	portRange = 10000
	busOffset = 10000
)

// freePort returns a port that was free a moment ago, together with its bus.
func freePort() (int, error) {
	for range 100 {
		port := firstPort + rand.IntN(portRange)
		if isFree(port) && isFree(port+busOffset) {
			return port, nil
		}
	}
	return 0, errors.New("no free port on the loopback")
}

func isFree(port int) bool {
	l, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
	if err != nil {
		return false
	}
	return l.Close() == nil
}
