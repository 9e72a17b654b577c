#!/bin/sh
# Checks the models in this directory with Spin: the protocol has to pass, exhaustively, and
# every seeded bug has to be found. Needs spin and a C compiler; two to three minutes, below 2 GB.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM
cp "$here"/*.pml "$work"
cd "$work"
failed=0

# run FILE SPINFLAGS CCFLAGS PANFLAGS: the search's output is in ./out
run() {
	rm -f pan pan.* ./*.trail out
	# shellcheck disable=SC2086 # lists of flags
	nice spin -a $2 "$1" >spin.out 2>&1 || true
	if [ ! -f pan.c ] || grep -q 'rror' spin.out; then
		cat spin.out >&2
		exit 2
	fi
	# shellcheck disable=SC2086
	nice "${CC:-gcc}" -O2 -w -DMEMLIM=4500 $3 -o pan pan.c
	# shellcheck disable=SC2086
	nice ./pan $4 >out 2>&1 || true
}

safety()   { run "$1" "$2" -DSAFETY "-w25 -m5000000"; }
shortest() { run "$1" "$2 -DBREADTH_FIRST" "-DSAFETY -DBFS" -w22; }
liveness() { run "$1" "$2 -DLIVENESS" "-DNFAIR=6" "-w24 -m5000000 -a -f -N $3"; }

say() { printf '%-6s %-40s %s\n' "$1" "$2" "$3"; }

# What was violated, in words; empty if nothing was.
violated() {
	case $(grep '^pan:1:' out) in
	*"invalid end state"*) echo "deadlock" ;;
	*"acceptance cycle"*)  echo "liveness" ;;
	*told*)                echo "told once" ;;
	*seen*)                echo "fences grow" ;;
	*'(i==p)'*)            echo "mutual exclusion" ;;
	*assertion*)           echo "the store's own assertion" ;;
	esac
}

number() { sed -n "s/$1/\\1/p" out | sed -n 1p; }

# passes KIND NAME: no error, and nothing was left unsearched
passes() {
	bad=$(violated)
	states=$(number ' *\([0-9]*\) states, stored.*')
	depth=$(number '.*depth reached \([0-9]*\),.*')
	if [ -n "$bad" ]; then
		say "$1" "$2" "FAILED: violates $bad"
		failed=1
	elif ! grep -q 'errors: 0$' out || ! grep -q '^Full statespace search' out ||
		grep -Eq 'not completed|too small|MEMLIM|out of memory|interrupted|resource' out; then
		say "$1" "$2" "FAILED: not exhaustive"
		failed=1
	else
		say "$1" "$2" "$states states, depth $depth, exhaustive, no error"
	fi
}

# fails KIND NAME PROPERTY: found, and by the property that it violates
fails() {
	bad=$(violated)
	depth=$(number '.*depth reached \([0-9]*\),.*')
	if [ "$bad" = "$3" ]; then
		say "$1" "$2" "caught: $bad, depth $depth"
	else
		say "$1" "$2" "FAILED: not caught by $3 (${bad:-no error})"
		failed=1
	fi
}

# ---- the protocol ----

safety timed.pml "-DN=2 -DCRASHES=2";                      passes sound "clock, 2 processes"
safety timed.pml "-DN=3 -DK=1 -DNO_STRAYS";                passes sound "clock, 3 processes, no late requests"
safety line.pml  "-DN=2";                                  passes sound "line, 2 processes, any faults"
safety line.pml  "-DN=3 -DK=1";                            passes sound "line, 3 processes, any faults"
safety line.pml  "-DN=3 -DF=3";                            passes sound "line, 3 processes, 3 faults"
safety line.pml  "-DN=4 -DF=2";                            passes sound "line, 4 processes, 2 faults"
liveness line.pml "-DN=2 -DF=4" served;                    passes sound "served, 2 processes, 4 faults"
liveness line.pml "-DN=3 -DF=2" served;                    passes sound "served, 3 processes, 2 faults"
liveness line.pml "-DN=4 -DF=1" served;                    passes sound "served, 4 processes, 1 fault"
liveness line.pml "-DN=2 -DF=3" freed;                     passes sound "freed, 2 processes, 3 faults"
liveness line.pml "-DN=3 -DF=2" freed;                     passes sound "freed, 3 processes, 2 faults"

# ---- seeded bugs ----

for bug in LATE_START MIXED_ANSWER SERVER_CLOCK FROM_REPLY PASS_ON_UNKNOWN RELEASE_ANY; do
	shortest timed.pml "-DBUG_$bug -DONLY_MUTEX";          fails bug $bug "mutual exclusion"
done
shortest timed.pml "-DMARGIN=-1 -DONLY_MUTEX";             fails bug "MARGIN=-1" "mutual exclusion"
shortest timed.pml -DBUG_LATE_START;                       fails bug "LATE_START, seen by the fence" "fences grow"
shortest timed.pml -DBUG_SAME_FENCE;                       fails bug SAME_FENCE "fences grow"
shortest timed.pml -DBUG_TOLD_TWICE;                       fails bug TOLD_TWICE "told once"
shortest line.pml "-DN=3 -DF=1 -DBUG_RELEASE_ANY";         fails bug "RELEASE_ANY, 3 processes" "mutual exclusion"
shortest line.pml "-DN=2 -DF=0 -DBUG_NO_RECHECK";          fails bug "NO_RECHECK" "deadlock"
liveness line.pml "-DN=2 -DF=0 -DBUG_NO_RECHECK" served;   fails bug "NO_RECHECK, served" "liveness"
liveness line.pml "-DN=2 -DF=1 -DBUG_NO_CLAIM_TTL" served; fails bug "NO_CLAIM_TTL, served" "liveness"
liveness line.pml "-DN=2 -DF=1 -DBUG_NO_CLAIM_TTL" freed;  fails bug "NO_CLAIM_TTL, freed" "liveness"
liveness line.pml "-DN=2 -DF=1 -DBUG_FREE_KEY_WAITS" served; fails bug "FREE_KEY_WAITS, served" "liveness"

# ---- slow, not wrong (these runs check safety too) ----

for slow in NO_PUBLISH_CHECK LEAVE_DROPS; do
	liveness line.pml "-DN=2 -DF=3 -DSLOW_$slow" served;   passes slow "$slow, served"
done
safety line.pml "-DN=2 -DVARIANT_PASS_ON";                 passes slow "PASS_ON (only what is over), any faults"
liveness line.pml "-DN=2 -DF=2 -DVARIANT_PASS_ON" served;  passes slow "PASS_ON, served"

# ---- limits: what the protocol does not promise ----

liveness line.pml "-DN=2 -DF=0 -DLIMIT_LATE_TIMER" work;   fails limit "timer slower than the claim" "liveness"
liveness line.pml "-DN=2 -DF=3 -DLIMIT_LATE_TIMER -DVARIANT_ASKER_TAKES" work
passes limit "the same, a free key goes to who asks"
liveness line.pml "-DN=3 -DF=0 -DLIMIT_DEAF" chance;       fails limit "a waiter without subscription" "liveness"
liveness line.pml "-DN=3 -DF=1 -DLIMIT_DEAF -DVARIANT_NO_CHECK_IF_DEAF" served
passes limit "the same, marked in the line"

exit $failed
