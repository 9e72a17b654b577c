package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	_ "github.com/ncruces/go-sqlite3/driver" // "sqlite3", in pure Go
)

// The statements are those of PostgreSQL, too. Each is one step for the database,
// which compares and changes the row while nobody else can.
const (
	schema = `CREATE TABLE account (
		id      INTEGER PRIMARY KEY,
		balance INTEGER NOT NULL,
		fence   INTEGER NOT NULL DEFAULT 0 -- the largest that was ever seen
	)`

	// Who reads in order to write raises the fence already by reading. Otherwise
	// an older holder's write could still come in between, with a fence as good as
	// any that was ever written, and be overwritten by what follows from this read.
	readFenced = `UPDATE account SET fence = $1
		WHERE id = $2 AND fence <= $1
		RETURNING balance`

	writeFenced = `UPDATE account SET balance = $1, fence = $2
		WHERE id = $3 AND fence <= $2`

	readUnfenced  = `SELECT balance FROM account WHERE id = $1`
	writeUnfenced = `UPDATE account SET balance = $1 WHERE id = $2`
)

// errStale says that the account has seen a larger fence: the lease under which
// it was asked has ended, whether its holder knows or not. Nothing was changed.
var errStale = errors.New("refused")

// An account is a balance that many processes read and write. If it is fenced it
// remembers the largest fence that it has seen and refuses smaller ones. One that
// it has seen before is good: a holder writes more than once, and goroutines that
// pass a lease on share its fence.
type account struct {
	db     *sql.DB
	id     int
	fenced bool
}

// openAccount opens account 1 in a database file. Until create there is none.
func openAccount(path string, fenced bool) (*account, error) {
	db, err := sql.Open("sqlite3", "file:"+path)
	if err != nil {
		return nil, err
	}
	return &account{db: db, id: 1, fenced: fenced}, nil
}

// create makes the table, and in it the account. Its fence is 0, which is smaller
// than every other.
func (a *account) create(ctx context.Context, balance int) error {
	_, err := a.db.ExecContext(ctx, schema)
	if err == nil {
		_, err = a.db.ExecContext(ctx, `INSERT INTO account (id, balance) VALUES ($1, $2)`, a.id, balance)
	}
	return err
}

// read returns the balance to a holder that is going to change it. From then on
// the account refuses smaller fences.
func (a *account) read(ctx context.Context, fence uint64) (balance int, err error) {
	if !a.fenced {
		return a.look(ctx)
	}
	err = a.db.QueryRowContext(ctx, readFenced, fence, a.id).Scan(&balance)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, a.refusal(ctx)
	}
	return balance, err
}

// write sets the balance.
func (a *account) write(ctx context.Context, balance int, fence uint64) error {
	if !a.fenced {
		_, err := a.db.ExecContext(ctx, writeUnfenced, balance, a.id)
		return err
	}
	result, err := a.db.ExecContext(ctx, writeFenced, balance, fence, a.id)
	if err != nil {
		return err
	}
	rows, err := result.RowsAffected()
	if err == nil && rows == 0 {
		return a.refusal(ctx)
	}
	return err
}

// refusal says why a statement found no row: there is no account, or its fence is
// larger. By now it may be larger still.
func (a *account) refusal(ctx context.Context) error {
	var seen uint64
	err := a.db.QueryRowContext(ctx, `SELECT fence FROM account WHERE id = $1`, a.id).Scan(&seen)
	if errors.Is(err, sql.ErrNoRows) {
		return fmt.Errorf("there is no account %d", a.id)
	}
	if err != nil {
		return fmt.Errorf("%w, and the fence can not be read: %w", errStale, err)
	}
	return fmt.Errorf("%w: fence %d was seen", errStale, seen)
}

// look returns the balance to somebody who changes nothing.
func (a *account) look(ctx context.Context) (balance int, err error) {
	err = a.db.QueryRowContext(ctx, readUnfenced, a.id).Scan(&balance)
	return balance, err
}

func (a *account) close() error { return a.db.Close() }
