#!/bin/sh
# tools/gate.sh NAME COMMAND...: run one gate; print its name and time, and what it said when it failed.
set -u
name=$1
shift
began=$(date +%s)
"$@"
status=$?
took=$(($(date +%s) - began))
if [ "$status" -ne 0 ]; then
    echo "FAILED  $name (${took} s)" >&2
    exit "$status"
fi
echo "ok      $name (${took} s)"
