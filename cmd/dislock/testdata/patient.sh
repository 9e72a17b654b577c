#!/bin/sh
# Touches the file $1 to say that it is there, and ends with the code $3 when there is a
# file $2, or after some 20 s. Before that it sends itself SIGHUP, if $4 says so.
[ -z "${4-}" ] || kill -HUP $$
: >"$1"
i=0
while [ $i -lt 1000 ] && [ ! -e "$2" ]; do
	sleep 0.02
	i=$((i + 1))
done
exit "$3"
