"""What a compilation came to, as a cell's prediction file and the study's dataset say it."""

import math

from deltann.cell import UNSCHEDULED

TEXTS = ("passes", "idle_passes")
COUNTS = ("kernels", "unscheduled", "code_bytes")
NUMBERS = ("compile_seconds", *COUNTS)
# Reading the model file is no part of compiling it, nor is writing the graph out for a reader.
STEPS = ("passes", "schedule", "build")
LONG_NAMES = {
    "passes": "graph passes switched on, joined by ';'",
    "idle_passes": "those of them that had nothing to do, joined by ';'",
    "compile_seconds": "time of graph passes, schedules and code generation, without the import",
    "kernels": "distinct kernels that the graph passes leave",
    "unscheduled": "of these, the ones that no schedule fitted; none has one by schedule 'none'",
    "code_bytes": "machine code of all kernels",
}
# Of a cell that no compiler made.
NOTHING = dict.fromkeys(TEXTS, "") | dict.fromkeys(NUMBERS, math.nan)


def describe(record: dict) -> dict[str, str | float]:
    """The attributes `TEXTS` and `NUMBERS` of a prediction file.

    Args:
        record: that of the file which the cell runs, of whatever stage.

    Returns:
        `NOTHING` where it isn't a compilation's; where the compilation failed, the passes only.
    """
    if record["stage"] != "compile":
        return NOTHING
    passes = record["arguments"]["passes"]
    found = NOTHING | {"passes": ";".join(passes)}
    if record["status"] == "failed":
        return found
    details = record["details"]
    scheduled = record["arguments"]["schedule"] != UNSCHEDULED
    return found | {
        "idle_passes": ";".join(details["idle"]),
        "compile_seconds": sum(details["seconds"][step] for step in STEPS),
        "kernels": float(details["kernels"]),
        "unscheduled": float(len(details["unscheduled"])) if scheduled else math.nan,
        "code_bytes": float(sum(details["code_bytes"].values())),
    }
