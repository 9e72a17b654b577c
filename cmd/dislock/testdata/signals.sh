#!/bin/sh
# Notes each signal in the file $1, and ends with the code 3 at SIGTERM, or after
# some 20 s.
for s in HUP INT QUIT USR1 USR2 WINCH; do
	trap "echo $s >>'$1'" $s
done
trap "echo TERM >>'$1'; exit 3" TERM
echo ready >>"$1"
i=0
while [ $i -lt 1000 ]; do
	sleep 0.02
	i=$((i + 1))
done
