"""The times of a compiled cell's kernels, as attributes of prediction files and the dataset."""

import json

TEXTS = ("kernel_times",)
# Of each attribute, the meaning and the unit: see `deltann.dataset.meanings`.
MEANINGS = {
    "kernel_times": (
        "calls and seconds of each kernel in one inference, its work in one call, and the machine's"
        " peaks; JSON, empty where they aren't measured",
        "",
    )
}
# The attributes of a cell whose kernels weren't timed.
NOTHING = dict.fromkeys(TEXTS, "")
# Of a number of seconds, or of a rate.
DIGITS = 4


def describe(record: dict, measured: dict | None) -> dict[str, str]:
    """The attributes `TEXTS` of the prediction file of a cell that ran.

    Args:
        record: the record of the file that the cell runs, from any stage.
        measured: what `tvm.kernel_times.measure` returned; None if the runner times no kernels.
    """
    if measured is None:
        return NOTHING
    work = record["details"]["work"]
    times = {
        "flops": _rounded(measured["flops"]),
        "copies": [[size, _rounded(rate)] for size, rate in measured["copies"]],
        "kernels": {
            name: {"calls": item["calls"], "seconds": _rounded(item["seconds"])} | work[name]
            for name, item in measured["kernels"].items()
            if name in work
        },
    }
    return {"kernel_times": json.dumps(times, sort_keys=True)}


def _rounded(value: float) -> float:
    return float(f"{value:.{DIGITS}g}")
