#!/usr/bin/env bash
# llama.cpp's prebuilt libraries, in .cache/llama.
exec "$(dirname "$0")/install-npm.sh" npm llama
