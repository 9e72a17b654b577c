#!/bin/sh
# Twenty processes add one to the number in the file $1, each at its own pace.
set -eu

echo 0 >"$1"
for i in $(seq 20); do
	dislock run -wait 60s counter -- \
		sh -c 'n=$(cat "$1"); sleep 0.01; echo $((n + 1)) >"$1"' sh "$1" &
done
wait
cat "$1"
