"""What localisation found: the facts, before any page tells them."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from deltann.edits import Edit
from deltann.steps import Operator


class Verdict(StrEnum):
    """How sure it is that a fault is where the finding says.

    LOCATED: the source's tensors, fed into the converted model behind the suspects, made the
    difference go. SUSPECTED: they didn't make it go altogether, or couldn't be fed in.
    """

    LOCATED = "located"
    SUSPECTED = "suspected"


class Outcome(StrEnum):
    """How a localisation ended.

    SAME: the models don't differ beyond rounding. FOUND: all of the difference is explained by the
    faults. PARTLY: some is left. ABSTAINED: too few tensors could be matched to say anything.
    """

    SAME = "same"
    FOUND = "found"
    PARTLY = "partly"
    ABSTAINED = "abstained"


class Family(StrEnum):
    """What kind of thing differs."""

    INPUT = "input"
    LAYOUT = "layout"
    PARAMETERS = "parameters"
    ATTRIBUTES = "attributes"
    ACTIVATION = "activation"
    GRAPH = "graph"
    PRECISION = "precision"


@dataclass(frozen=True)
class Difference:
    """One thing that the source and the converted model have differently in a fault's segment.

    Attributes:
        family: of the difference.
        what: in a few words, with both values: `epsilon: 0.001, not 1e-05`.
        target_operator: name of the converted model's operator; empty for a missing one.
        source_operator: name of the source's operator; empty for an extra one.
        key: the attribute or parameter.
        source_value, target_value: what each side has, JSON-able.
        edits: of the converted model, to make it as the source; empty if none is known.
    """

    family: Family
    what: str
    target_operator: str = ""
    source_operator: str = ""
    key: str = ""
    source_value: Any = None
    target_value: Any = None
    edits: tuple[Edit, ...] = ()


@dataclass(frozen=True)
class Fault:
    """A place where the converted model leaves the source.

    Attributes:
        verdict: how sure that is.
        why: the reason for it, a sentence.
        source_operators, target_operators: those between the tensors that agree before and behind
            the fault, in running order. The target's first ones come first in `ranked`.
        agreed: the pairs (source tensor, target tensor) before the fault that agree.
        behind: the pair of tensors behind it that should agree.
        local_error: the difference at `behind` if the segment is fed with the source's tensors:
            the largest absolute difference as a share of the source's largest absolute value.
        left: the difference of the next tensors, or of the output, once the source's tensor is fed
            in behind the fault; likewise a share.
        differences: what differs in it, the most certain first.
        ranked: names of the target's operators, the most suspect first.
        inputs: by tensor that `source_operators` read and none of them writes, the target's tensor
            that is equal to it; without those that have none.
    """

    verdict: Verdict
    why: str
    source_operators: tuple[Operator, ...]
    target_operators: tuple[Operator, ...]
    agreed: tuple[tuple[str, str], ...]
    behind: tuple[str, str]
    local_error: float
    left: float
    differences: tuple[Difference, ...]
    ranked: tuple[str, ...]
    inputs: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Localisation:
    """The faults between a source file and a converted file.

    Attributes:
        outcome: how it ended.
        why: a sentence.
        difference: of the outputs, largest over the images, as a share of the source's largest.
        noise: the share up to which tensors count as the same, measured.
        matched, compared: how many of the target's tensors have an equal in the source, of how
            many that were looked at.
        faults: in running order.
    """

    outcome: Outcome
    why: str
    difference: float
    noise: float
    matched: int
    compared: int
    faults: tuple[Fault, ...] = field(default=())
