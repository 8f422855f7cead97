#!/bin/sh
# pip, uv and Snakemake keep caches in the user's folder, and without one they end in tracebacks.
cache=${XDG_CACHE_HOME:-${HOME:+$HOME/.cache}}
test -n "$cache" || exit 0 # without HOME they find the folder in the list of users
mkdir -p "$cache" 2>/dev/null && probe=$(mktemp "$cache/deltann.XXXXXX" 2>/dev/null) && rm "$probe" && exit 0
echo "$cache can't be written to; expected a folder for the caches of pip, uv and Snakemake. Name one" \
	'that can be, as in export XDG_CACHE_HOME="$PWD/.cache", and run again' >&2
exit 1
