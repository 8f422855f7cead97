"""Operators cut out of model files, by the session that `explain` opens."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from deltann import tracers
from deltann.execution.session import Session, ToolFailed
from deltann.localise.remote import LIMITS, python
from deltann.steps import Operator

# From framework, model file, operators and output to the names of the inputs.
Cut = Callable[[str, Path, Sequence[str], Path], list[str]]


@contextmanager
def cutter(framework: str) -> Iterator[Cut]:
    """Cuts files of this framework, and of others of its environment."""
    environment = tracers.get(framework).ENVIRONMENT
    with Session(python(environment), "deltann.explain.segment", {}, LIMITS) as session:
        yield lambda framework, model_file, operators, output: session.call(
            "extract",
            framework=framework,
            model_file=str(model_file),
            operators=list(operators),
            output=str(output),
        )


def check_cutting(
    cut: Cut, framework: str, path: Path, operators: Sequence[Operator]
) -> tuple[Path, Operator, Operator]:
    """Cut operators out of a file, and out of what was cut out.

    Args:
        operators: of the file.

    Returns:
        A file with two of them, of which the second alone reads what the first gives.
    """
    suffix = "".join(path.suffixes)
    part, again = (path.with_name(f"{name}{suffix}") for name in ("part", "again"))
    joined = next(item for item in operators if len(set(item.inputs)) > 1)
    assert cut(framework, path, [joined.name], part) == [*dict.fromkeys(joined.inputs)]
    first, second = _chain(operators)
    assert cut(framework, path, [second.name, first.name], part) == [*first.inputs]
    assert part.stat().st_size < path.stat().st_size / 2
    with pytest.raises(ToolFailed, match=r"ValueError: the model has no operators \['nowhere'\]"):
        cut(framework, path, [first.name, "nowhere"], again)
    return part, first, second


def _chain(operators: Sequence[Operator]) -> tuple[Operator, Operator]:
    """A layer with weights, and the one operator that reads what it gives, and nothing else."""
    for first in operators:
        readers = [item for item in operators if {*first.outputs} & {*item.inputs}]
        if "weight" in first.parameters and [item.inputs for item in readers] == [first.outputs]:
            return first, readers[0]
    raise LookupError("no operator alone reads another one's only output")
