"""The result of a compilation, as attributes of prediction files and the study dataset."""

import math

TEXTS = ("passes", "idle_passes")
COUNTS = ("kernels", "code_bytes")
NUMBERS = ("compile_seconds", *COUNTS)
# The steps that count as compile time: not the import, and not writing the graph for readers.
STEPS = ("passes", "schedule", "build")
# Of each attribute, the meaning and the unit: see `deltann.dataset.meanings`.
MEANINGS = {
    "passes": ("graph passes switched on, joined by ';'", ""),
    "idle_passes": ("those of them that had nothing to do, joined by ';'", ""),
    "compile_seconds": (
        "time of graph passes, schedules and code generation, without the import",
        "s",
    ),
    "kernels": ("distinct kernels that the graph passes leave", "1"),
    "code_bytes": ("machine code of all kernels", "byte"),
}
# The attributes of a cell that isn't compiled.
NOTHING = dict.fromkeys(TEXTS, "") | dict.fromkeys(NUMBERS, math.nan)


def describe(record: dict) -> dict[str, str | float]:
    """The attributes `TEXTS` and `NUMBERS` of a prediction file.

    Args:
        record: the record of the file that the cell runs, from any stage.

    Returns:
        `NOTHING` if the stage isn't `compile`; only the passes if the compilation failed.
    """
    if record["stage"] != "compile":
        return NOTHING
    passes = record["arguments"]["passes"]
    described = NOTHING | {"passes": ";".join(passes)}
    if record["status"] == "failed":
        return described
    details = record["details"]
    return described | {
        "idle_passes": ";".join(details["idle"]),
        "compile_seconds": sum(details["seconds"][step] for step in STEPS),
        "kernels": float(details["kernels"]),
        "code_bytes": float(sum(details["code_bytes"].values())),
    }
