#!/bin/sh
# Writes its process id to the file $1, and ends with the code 5 when it hears SIGTERM,
# after noting that in $2. SIGUSR1 it notes in $1. It ends by itself after some 20 s.
trap 'echo command >>"$2"; exit 5' TERM
trap 'echo passed >>"$1"' USR1
echo $$ >"$1"
i=0
while [ $i -lt 1000 ]; do
	sleep 0.02
	i=$((i + 1))
done
