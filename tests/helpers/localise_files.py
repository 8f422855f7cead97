"""Localise between two files: `localise_files.py <framework> <file> <framework> <file>`.

Run in an environment with the packages of the driver of localisation. Prints one line of JSON: the
outcome, and of each fault the verdict, the most suspect operators, and what differs.
"""

import json
import sys
from pathlib import Path

import numpy as np

from deltann.localise.localise import localise
from deltann.localise.remote import open_tracer


def main(source: str, before: str, target: str, after: str) -> None:
    """Localise on two images of noise."""
    with open_tracer(source, Path(before)) as one, open_tracer(target, Path(after)) as other:
        images = np.random.default_rng(0).standard_normal((2, *one.input_shape))
        found = localise(one, other, images)
    faults = [
        {
            "verdict": fault.verdict,
            "ranked": fault.ranked,
            "source": [item.name for item in fault.source_operators],
            "differences": [item.what for item in fault.differences],
        }
        for fault in found.faults
    ]
    print(json.dumps({"outcome": found.outcome, "faults": faults}))


if __name__ == "__main__":
    main(*sys.argv[1:])
