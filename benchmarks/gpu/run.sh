#!/bin/sh
# Run on the machine with the GPU, in the folder that prepare.py wrote: sh run.sh [--dry] …
set -eu
started=$(date +%s)
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
python=${PYTHON:-python3}
command -v "$python" >/dev/null || {
    echo "$python isn't there; expected Python with PyTorch: PYTHON=/path/to/python sh run.sh" >&2
    exit 2
}
"$python" -s -c '
import sys
if not (3, 11) <= sys.version_info[:2]:
    sys.exit(f"{sys.executable} is Python {sys.version.split()[0]}; expected 3.11 or later")
for name in ("torch", "numpy"):
    try:
        __import__(name)
    except ImportError as error:
        sys.exit(f"{sys.executable}: {error}; expected {name}: PYTHON=/path/to/python sh run.sh")
'
dry=
for word in "$@"; do
    if [ "$word" = --dry ]; then dry=--dry; fi
done
"$python" -s "$here/bundle.py" "$here" "$here/unpacked" $dry
exec "$python" -s "$here/unpacked/common/race.py" --started "$started" "$@"
