#!/bin/sh
# Writes the time, in hundredths of a second since the machine started, to the file $1
# again and again, and so does a helper of its, to $2. Both hear SIGTERM, note that and
# the time in $3, and go on. They end by themselves after some 20 s.
now() {
	read -r up rest </proc/uptime
	echo "${up%.*}${up#*.}"
}

stamp() {
	trap 'echo "$2 $(now)" >>"$3"' TERM
	i=0
	while [ $i -lt 1000 ]; do
		now >>"$1"
		sleep 0.02
		i=$((i + 1))
	done
}

stamp "$2" helper "$3" &
stamp "$1" command "$3"
