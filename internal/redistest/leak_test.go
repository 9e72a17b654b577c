package redistest

import _ "go.uber.org/goleak"
