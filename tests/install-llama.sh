#!/usr/bin/env bash
# Unpacks llama.cpp's prebuilt libraries (npm, pinned by tests/npm/package-lock.json) into .cache/llama. Runs once; safe to run twice at a time.
set -euo pipefail
cd "$(dirname "$0")/.."
wanted=$(sha256sum tests/npm/package-lock.json | cut -d' ' -f1)
[ "$(cat .cache/llama/stamp 2>/dev/null || true)" = "$wanted" ] && exit 0
command -v npm >/dev/null || { echo "llama.cpp is missing and npm is not there to fetch it (install npm)." >&2; exit 1; }
mkdir -p .cache
exec 9>.cache/llama.lock
flock 9
[ "$(cat .cache/llama/stamp 2>/dev/null || true)" = "$wanted" ] && exit 0
rm -rf .cache/llama
mkdir -p .cache/llama
cp tests/npm/package.json tests/npm/package-lock.json .cache/llama/
(cd .cache/llama && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error >/dev/null)
echo "$wanted" >.cache/llama/stamp
