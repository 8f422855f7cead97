"""Take a repaired file over into a route of the study. Runs in the child process of the job."""

import shutil
from pathlib import Path

from deltann import precision, spot_check
from deltann.formats import precisions


class NotRepaired(Exception):
    """The route has no repaired file: what the study records as its failure."""


def work(
    framework: str,
    outcome: str,
    refused: str,
    repaired: str,
    before: dict,
    model_file: str,
    output: str,
) -> dict:
    """Copy the repaired file; the file itself, if there was nothing to repair.

    Args:
        framework: of the files.
        outcome: of the repair, in a word.
        refused: why there is no better file; empty if there is, or if nothing was wrong.
        repaired: the repaired file; empty if there is none.
        before: the details of the record of `model_file`.
        model_file: the converters' own file.
        output: the file to write.

    Returns:
        `spot_check.details`; the written file's `precision`, the fields of `precision.Precision`;
        the `calibration` of the file before, if there was any; and the `repair`'s outcome.

    Raises:
        NotRepaired: nothing that was tried gives better answers.
    """
    if refused:
        raise NotRepaired(refused)
    shutil.copyfile(repaired or model_file, output)
    operators = precision.look(
        "what the repaired model computes in",
        lambda: precisions.operators(framework, Path(output)),
    )
    found = precision.read(before).after(operators, "the repair")
    described = precision.details(found, before.get("calibration"))
    return spot_check.details() | described | {"repair": outcome}
