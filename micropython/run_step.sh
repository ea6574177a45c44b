#!/bin/sh
# Runs COMMAND, a step of the build for MicroPython VERSION whose sources are in the folder SOURCES, with its output in
# the file LOG; shows the seconds on a terminal meanwhile, and the end of the output if COMMAND fails.
# usage: run_step.sh VERSION SOURCES LOG COMMAND...
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=micropython/versions/1.25.0.env
. "$here/versions/$1.env"

# MicroPython's scripts ask git for the version and the clock for the date unless told; git would answer for this
# repository. No paths of this machine in what is built, and no order of Python's sets (in make-pins.py) that changes
# from run to run: equal sources give equal bytes. What our make was called with is not meant for theirs.
export MICROPY_GIT_TAG="v$1" MICROPY_GIT_HASH="v$1" SOURCE_DATE_EPOCH
export MICROPY_MPYCROSS="$2/micropython/mpy-cross/build/mpy-cross"
export CFLAGS_EXTRA="-ffile-prefix-map=${here%/*}=."
export PYTHONHASHSEED=0
unset MAKEFLAGS MFLAGS MAKEOVERRIDES MAKELEVEL

log=$3
shift 3
mkdir -p "$(dirname "$log")"
if [ -t 1 ]; then
    (
        n=0
        while sleep 1; do
            n=$((n + 1))
            printf '\r%s s \r' "$n"
        done
    ) &
    ticker=$!
    trap 'kill "$ticker" 2>/dev/null' EXIT INT TERM
fi
"$@" >"$log" 2>&1 && exit 0
status=$?
{
    grep -v '^\[' "$log" | cut -c 1-400 | tail -n 40 # without ninja's progress, compilers' calls cut short
    echo "failed: $*"
    echo "the whole output: $log"
} >&2
exit $status
