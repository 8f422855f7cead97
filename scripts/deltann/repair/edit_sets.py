"""Sets of edits to try, and edits in words."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import chain

import numpy as np

from deltann.edits import Bypass, Edit, Insert, Reconnect, Replace, SetAttribute, SetParameter
from deltann.localise.finding import Fault, Localisation
from deltann.repair.judge import Judgement
from deltann.steps import Operator

# Of each localisation.
SETS = 12
# Operators of the source that are written anew in the place of a fault's, at most: an activation or
# a normalization that a format spells out has as many. More would be a copy of the source.
MOST_ANEW = 6


def sets(found: Localisation) -> list[list[Edit]]:
    """Sets of edits to try, the most likely first.

    The most certain difference of each fault, all of them together; each difference alone; all
    differences of each fault; those of all faults. At last, operators are written anew: those of
    the faults of which no difference can be undone, those of all faults, and those of each.
    """
    known = [
        [list(item.edits) for item in fault.differences if item.edits] for fault in found.faults
    ]
    anew = [_anew(fault) for fault in found.faults]
    first = [options[:1] or new for options, new in zip(known, anew, strict=True)]
    by_fault = [options for options in known if options]
    ways = [[options[0] for options in by_fault]]
    ways += [[option] for options in by_fault for option in options]
    ways += [*by_fault, [option for options in by_fault for option in options]]
    last = _different([list(chain(*first)), list(chain(*anew)), *anew])
    return _different(ways)[: max(1, SETS - len(last))] + last


def _different(ways: Sequence[Sequence[list[Edit]]]) -> list[list[Edit]]:
    """The edits of each way, unless there are none or another way has the same."""
    seen, made = set(), []
    for way in ways:
        changes = [edit for option in way for edit in option]
        key = tuple(sorted({id(edit) for edit in changes}))
        if changes and key not in seen:
            seen.add(key)
            made.append(changes)
    return made


def _anew(fault: Fault) -> list[list[Edit]]:
    """A fault's operators as the source has them; nothing if they can't be connected."""
    operators = fault.source_operators
    written = {name for item in operators for name in item.outputs}
    read = {name for item in operators for name in item.inputs} - written
    plain = all(len(item.outputs) == 1 and item.inputs for item in operators)
    if not 0 < len(operators) <= MOST_ANEW or not plain or not read <= fault.inputs.keys():
        return []
    if operators[-1].outputs[0] != fault.behind[0]:
        return []
    reads = {name: fault.inputs[name] for name in sorted(read)}
    return [[Replace(fault.behind[1], tuple(map(_single, operators)), reads)]]


def _single(operator: Operator) -> Operator:
    """An operator with its numbers in single precision."""
    numbers = {
        key: value.astype(np.float32) if value.dtype.kind == "f" else value
        for key, value in operator.parameters.items()
    }
    return replace(operator, parameters=numbers)


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
        case Replace():
            kinds = ", ".join(item.kind for item in edit.operators)
            return f"{edit.tensor}: write {kinds} anew, as the source has it"


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
