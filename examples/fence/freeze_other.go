//go:build !unix

package main

import "errors"

func (p *process) freeze() (thaw func() error, err error) {
	return nil, errors.New("no process can be paused on this system")
}
