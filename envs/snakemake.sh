#!/bin/sh
# .venv/bin/snakemake: Snakemake with its own packages only, whatever PYTHONPATH says.
exec "$(dirname "$(readlink -f "$0")")/python" -I -m snakemake "$@"
