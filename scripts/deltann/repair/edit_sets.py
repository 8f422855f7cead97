"""Sets of edits to try, and edits in words."""

from collections.abc import Sequence

import numpy as np

from deltann.edits import Bypass, Edit, Insert, Reconnect, SetAttribute, SetParameter
from deltann.localise.finding import Localisation
from deltann.repair.judge import Judgement

# Of each localisation.
SETS = 12


def sets(found: Localisation) -> list[list[Edit]]:
    """Sets of edits to try, the most likely first.

    The most certain difference of each fault, all of them together; each difference alone; all
    differences of each fault; those of all faults.
    """
    by_fault = [
        [list(item.edits) for item in fault.differences if item.edits] for fault in found.faults
    ]
    by_fault = [options for options in by_fault if options]
    ways = [[options[0] for options in by_fault]]
    ways += [[option] for options in by_fault for option in options]
    ways += [*by_fault, [option for options in by_fault for option in options]]
    seen, made = set(), []
    for way in ways:
        changes = [edit for option in way for edit in option]
        key = tuple(sorted({id(edit) for edit in changes}))
        if changes and key not in seen:
            seen.add(key)
            made.append(changes)
    return made[:SETS]


def described(edit: Edit) -> str:
    """An edit in words."""
    match edit:
        case SetAttribute():
            return f"{edit.operator}: set {edit.attribute} to {edit.value}"
        case SetParameter():
            shape = " x ".join(map(str, np.shape(edit.value))) or "1"
            return f"{edit.operator}: set {edit.parameter} ({shape} numbers)"
        case Reconnect():
            return f"{edit.operator}: have input {edit.position} read {edit.tensor}"
        case Bypass():
            return f"{edit.operator}: take it out"
        case Insert():
            details = "".join(f", {name} {value}" for name, value in edit.attributes.items())
            return f"behind {edit.behind}: insert {edit.kind}{details}"


def row(
    changes: Sequence[Edit], outcome: str, why: str, judged: Judgement | None, seconds: float
) -> dict:
    facts = judged.facts() if judged else {"labels": None, "difference": None}
    return {
        "edits": [described(item) for item in changes],
        "outcome": outcome,
        "why": (why.strip().splitlines() or [""])[0][:300],
        "labels": facts["labels"],
        "difference": facts["difference"],
        "seconds": round(seconds, 2),
    }
