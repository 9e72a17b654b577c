#!/bin/sh
# Writes the time to the file $1, as stubborn.sh does, once.
read -r up rest </proc/uptime
echo "${up%.*}${up#*.}" >>"$1"
