#!/usr/bin/env bash
# Unpacks the packages of tests/FOLDER (npm, pinned by its package-lock.json) into .cache/NAME, beside what else the folder holds. Runs once; safe to run twice at a time.
# usage: install-npm.sh FOLDER [NAME]
set -euo pipefail
cd "$(dirname "$0")/.."
folder=tests/$1
name=${2:-$1}
wanted=$(cat "$folder"/* | sha256sum | cut -d' ' -f1)
[ "$(cat ".cache/$name/stamp" 2>/dev/null || true)" = "$wanted" ] && exit 0
command -v npm >/dev/null || { echo "npm is missing, and $name needs it (Debian: apt-get install npm)." >&2; exit 1; }
mkdir -p .cache
exec 9>".cache/$name.lock"
flock 9
[ "$(cat ".cache/$name/stamp" 2>/dev/null || true)" = "$wanted" ] && exit 0
rm -rf ".cache/$name"
mkdir -p ".cache/$name"
cp "$folder"/* ".cache/$name/"
(cd ".cache/$name" && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error >/dev/null)
echo "$wanted" >".cache/$name/stamp"
