#!/bin/sh
# Writes the time, in hundredths of a second since the machine started, to the file $1
# again and again, and so does a helper of its, to $2. Both hear SIGTERM, note that and
# the time in $3, and go on. They end by themselves after some 20 s.
exec 2>/dev/null # where a shell tells, and would wait to tell, that its sleep was ended

now() {
	read -r up rest </proc/uptime
	echo "${up%.*}${up#*.}"
}

stamp() {
	# Not "$2" and "$3" in the trap: it may come within now, which has no arguments.
	file=$1 who=$2 heard=$3
	trap 'echo "$who $(now)" >>"$heard"' TERM
	i=0
	while [ $i -lt 1000 ]; do
		now >>"$file"
		sleep 0.02
		i=$((i + 1))
	done
}

stamp "$2" helper "$3" &
stamp "$1" command "$3"
