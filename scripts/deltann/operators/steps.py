"""The two steps of a sweep: a bundle of models, made or converted; and the answers of a backend."""

import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

from deltann import runners
from deltann.operators import bundle, loop
from deltann.operators.bundle import Bundle
from deltann.operators.case import source
from deltann.operators.outcome import OK, Outcome

ARRAYS = ".npz"
SUFFIXES = tuple(runners.get(name).SUFFIX for name in runners.frameworks())


def make(framework: str, kinds: Iterable[str], every: int, seconds: float, output: Path) -> dict:
    """Build the models of a source, with what each should answer.

    Args:
        framework: the source.
        kinds: of operators; all if there are none.
        every: takes one of so many cases of a kind.
        seconds: time limit of a case.
        output: the bundle to write.

    Returns:
        The number of cases by status.
    """
    chosen, wanted = {}, {*kinds}
    seen: Counter[str] = Counter()
    for case in source(framework).cases():
        if not wanted or case.kind in wanted:
            if seen[case.kind] % every == 0:
                chosen[case.name] = case
            seen[case.kind] += 1
    suffix = runners.get(framework).SUFFIX
    with TemporaryDirectory(prefix="deltann-") as folder:
        made = Bundle(Path(folder), chosen)
        items = (
            (
                name,
                {
                    "case": case.fields(),
                    "output": str(made.path(name, suffix)),
                    "arrays": str(made.path(name, ARRAYS)),
                },
            )
            for name, case in chosen.items()
        )
        return _finish(made, "build", {"framework": framework}, items, seconds, framework, output)


def convert(
    before: Path, edge: dict, suffixes: tuple[str, str], seconds: float, output: Path
) -> dict:
    """Convert the models of a bundle by one edge; cases that ended before keep their outcomes.

    Args:
        before: the bundle to read.
        edge: `name`, `converter` and `settings`.
        suffixes: of the model files before and after.
        seconds: time limit of a case.
        output: the bundle to write.

    Returns:
        The number of cases by status.
    """
    with bundle.opened(before) as read, TemporaryDirectory(prefix="deltann-") as folder:
        made = Bundle(Path(folder), read.cases, dict(read.outcomes))
        items = (
            (
                name,
                {
                    "case": read.cases[name].fields(),
                    "model_file": str(read.path(name, suffixes[0])),
                    "output": str(made.path(name, suffixes[1])),
                },
            )
            for name in read.ready()
        )
        common = {"converter": edge["converter"], "settings": edge["settings"]}
        return _finish(made, "convert", common, items, seconds, edge["name"], output)


def answer(before: Path, backend: dict, suffix: str, seconds: float, output: Path) -> dict:
    """Have a backend answer with the models of a bundle.

    Args:
        before: the bundle to read.
        backend: `name`; `task`, `answer` or `compiled`; and `arguments` of that task.
        suffix: of the model files.
        seconds: time limit of a case.
        output: the tar to write: a bundle with an array per case in place of a model.

    Returns:
        The number of cases by status.
    """
    with bundle.opened(before) as read, TemporaryDirectory(prefix="deltann-") as folder:
        made = Bundle(Path(folder), read.cases, dict(read.outcomes))
        items = (
            (
                name,
                {
                    "case": read.cases[name].fields(),
                    "model_file": str(read.path(name, suffix)),
                    "arrays": str(made.path(name, ARRAYS)),
                },
            )
            for name in read.ready()
        )
        common, name = backend["arguments"], backend["name"]
        return _finish(made, backend["task"], common, items, seconds, name, output)


def _finish(
    made: Bundle,
    task: str,
    common: dict,
    items: Iterable[tuple[str, dict]],
    seconds: float,
    step: str,
    output: Path,
) -> dict:
    """Run the tasks, drop what failed ones left, write the bundle, and count."""
    for name, outcome in loop.run(task, common, items, seconds, _report).items():
        made.outcomes[name] = replace(outcome, step="" if outcome.status == OK else step)
    kept = {
        f"{name}{suffix}"
        for name, outcome in made.outcomes.items()
        for suffix in (ARRAYS, *SUFFIXES)
        if outcome.status == OK
    }
    for path in made.folder.iterdir():
        if path.name not in kept:
            path.unlink()
    made.write(output)
    counts: dict[str, int] = {}
    for outcome in made.outcomes.values():
        counts[outcome.status] = counts.get(outcome.status, 0) + 1
    print(json.dumps(counts), flush=True)
    return counts


def _report(name: str, outcome: Outcome) -> None:
    """A line for the job's log."""
    print(
        f"{outcome.status} {name} {outcome.seconds:g} s {outcome.type} {outcome.message}",
        flush=True,
    )
