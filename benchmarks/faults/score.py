"""Score what the tool said of a corpus: `score.py CORPUS OUT.jsonl...`, a table in markdown."""

import argparse
import json
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "scripts"))

import numpy as np  # noqa: E402
from baselines import BASELINES  # noqa: E402
from judged import DEVELOPMENT, EQUIVALENT, FAILED, FUNCTIONAL, MASKED, Case, read  # noqa: E402
from scipy import stats  # noqa: E402

from deltann.metrics import wilson_interval  # noqa: E402  the folder above first


@dataclass
class Count:
    """So many of so many."""

    hits: int = 0
    all: int = 0

    def __str__(self) -> str:
        if not self.all:
            return "–"
        low, high = wilson_interval(self.hits, self.all)
        share = 100 * self.hits / self.all
        return f"{self.hits} of {self.all}: {share:.1f} % ({low:.1f} to {high:.1f})"


def count(cases: Iterable[Case], hit: Callable[[Case], bool]) -> Count:
    """How many of some cases are a hit."""
    hits = [hit(case) for case in cases]
    return Count(sum(hits), len(hits))


def planted(cases: Iterable[Case]) -> list[Case]:
    """Cases with a fault that changes a tensor beyond the floor."""
    return [case for case in cases if case.kind in ("fault", "double")]


def scores(cases: list[Case]) -> dict[str, str]:
    """The scores of some cases, in words."""
    faulty = planted(cases)
    inside = [case for case in faulty if case.has_operators]
    tried = [case for case in faulty if case.repairable and "repaired" in case.answer]
    answered = [case for case in cases if case.answer["outcome"] != FAILED]
    rows = {
        "fault noticed": str(count(faulty, lambda case: case.noticed)),
        "— that changes a label": str(
            count(
                (case for case in faulty if case.truth["class"] == "label"),
                lambda case: case.noticed,
            )
        ),
        "stage right": str(count(faulty, lambda case: case.stage_right)),
        "operator, top 1": str(count(inside, lambda case: case.within(1))),
        "operator, top 3": str(count(inside, lambda case: case.within(3))),
        "family named": str(count(faulty, lambda case: case.family_right)),
        "abstained": str(count(faulty, lambda case: case.answer["outcome"] == "abstained")),
        "a tool failed": str(count(cases, lambda case: case.answer["outcome"] == FAILED)),
    }
    for kind in ("clean", "benign", EQUIVALENT, MASKED):
        some = [case for case in answered if case.kind == kind]
        rows[f"alarm on {kind}"] = str(count(some, lambda case: case.alarm))
    if later := [case for case in answered if case.later_right]:
        rows["alarm on a later edge"] = str(
            count(later, lambda case: bool(case.answer.get("later")))
        )
    rows["repaired, functional"] = str(count(tried, lambda case: case.repaired(FUNCTIONAL)))
    rows["repaired, exact"] = str(
        count(tried, lambda case: case.repaired(max(case.truth["floor"], 1e-5)))
    )
    rows["a repair made an image worse"] = str(
        count(tried, lambda case: bool(case.answer.get("regressions")))
    )
    if inside:
        rows["EXAM, mean"] = f"{np.mean([case.exam for case in inside]):.4f}"
    if seconds := [case.answer["seconds"] for case in cases]:
        middle, most = np.quantile(seconds, [0.5, 0.95])
        rows["seconds, median and 95 %"] = f"{middle:.1f}, {most:.1f}"
    return rows


def table(groups: dict[str, list[Case]]) -> Iterator[str]:
    """The scores of groups of cases side by side."""
    columns = {name: scores(cases) for name, cases in groups.items()}
    names = list(dict.fromkeys(name for column in columns.values() for name in column))
    yield f"| | {' | '.join(columns)} |"
    yield f"| --- |{' --- |' * len(columns)}"
    for name in names:
        yield f"| {name} | {' | '.join(column.get(name, '–') for column in columns.values())} |"


def breakdown(title: str, groups: dict[str, list[Case]]) -> Iterator[str]:
    """Stage, operator and family of groups of faults, a row each."""
    yield f"| {title} | cases | stage | top 1 | top 3 | family | repaired |"
    yield "| --- | ---: | ---: | ---: | ---: | ---: | ---: |"
    for name, cases in groups.items():
        inside = [case for case in cases if case.has_operators]
        tried = [case for case in cases if case.repairable and "repaired" in case.answer]
        found = [
            count(cases, lambda case: case.stage_right),
            count(inside, lambda case: case.within(1)),
            count(inside, lambda case: case.within(3)),
            count(cases, lambda case: case.family_right),
            count(tried, lambda case: case.repaired(FUNCTIONAL)),
        ]
        numbers = " | ".join(f"{item.hits}/{item.all}" if item.all else "–" for item in found)
        yield f"| {name} | {len(cases)} | {numbers} |"


def grouped(cases: Iterable[Case], key: Callable[[Case], str]) -> dict[str, list[Case]]:
    """Cases by a key, in its order."""
    found: dict[str, list[Case]] = {}
    for case in cases:
        found.setdefault(key(case), []).append(case)
    return dict(sorted(found.items()))


def mcnemar(ours: int, theirs: int) -> float:
    """The exact p-value of McNemar's test.

    Args:
        ours, theirs: cases in which only the one was right.

    Source: McNemar, Psychometrika 12 (1947); by `scipy.stats.binomtest`.
    """
    both = ours + theirs
    return float(stats.binomtest(ours, both).pvalue) if both else 1.0


def routes(cases: list[Case]) -> Iterator[str]:
    """Faults in earlier conversions by route; nothing if there are none."""
    if some := [case for case in cases if "later" in case.truth]:
        yield from breakdown("fault in", grouped(some, lambda case: case.route))


def comparison(cases: list[Case]) -> Iterator[str]:
    """The baselines on the same cases, and the tool."""
    inside = [case for case in planted(cases) if case.has_operators and "baselines" in case.answer]
    quiet = [case for case in cases if case.kind in ("clean", "benign")]
    quiet = [case for case in quiet if "baselines" in case.answer]
    if not inside:
        return
    yield "| | operator, top 1 | top 3 | alarms without a fault | only the tool | only it | p |"
    yield "| --- | --- | --- | --- | ---: | ---: | ---: |"
    alarms = count(quiet, lambda case: case.alarm)
    first, third = (count(inside, partial(Case.within, most=most)) for most in (1, 3))
    yield f"| the tool | {first} | {third} | {alarms} | | | |"
    for name in BASELINES:
        first, third = (
            count(inside, partial(Case.within, most=most, baseline=name)) for most in (1, 3)
        )
        alarms = count(quiet, partial(_raises, name))
        ours = sum(case.within(1) and not case.within(1, name) for case in inside)
        theirs = sum(case.within(1, name) and not case.within(1) for case in inside)
        p = f"{mcnemar(ours, theirs):.1g}"
        yield f"| {name}, reimplemented | {first} | {third} | {alarms} | {ours} | {theirs} | {p} |"


def _raises(baseline: str, case: Case) -> bool:
    return bool(case.answer["baselines"][baseline])


def misses(cases: list[Case]) -> Iterator[str]:
    """Every case that isn't as it should be, a line each."""
    for case in cases:
        quiet = case.kind in ("clean", "benign", EQUIVALENT)
        if case.kind in (MASKED, "real"):
            continue
        wrong = case.alarm if quiet else not (case.stage_right and case.family_right)
        if not quiet and case.has_operators:
            wrong = wrong or not case.within(1)
        if wrong:
            truth, answer = case.truth, case.answer
            yield (
                f"{truth['id']} {truth['framework']} {truth['model']} {truth['conversion']}"
                f" {case.kind} {truth['class']} {case.mutation or '-'}:"
                f" {answer['outcome']} {answer.get('families')} stage {answer.get('stage')}"
                f" top-1 {case.within(1)} top-3 {case.within(3)}"
                f" change {truth['change']:.2g} {str(answer.get('why'))[:120]}"
            )


def left_out(corpus: Path, parts: Iterable[str]) -> str:
    """The changes that could not be made, by format: a table in markdown."""
    lines = ["### Changes that could not be made", ""]
    lines += ["| format | change | tried | why not, the first time |", "| --- | --- | ---: | --- |"]
    for path in sorted(corpus.glob("left_out/*.json")):
        framework, _, part = path.stem.partition("-")
        found = list(json.loads(path.read_text("utf-8")).values()) if part in parts else []
        for name in sorted({item["mutation"] for item in found}):
            whys = [item["why"] for item in found if item["mutation"] == name]
            why = whys[0].replace("|", "/")[:120]
            lines.append(f"| {framework}, {part} | {name} | {len(whys)} | {why} |")
    return "\n".join(lines) + "\n"


def corpus_table(parts: dict[str, list[Case]]) -> Iterator[str]:
    """How many cases of each kind the parts have, a row each."""
    yield (
        "| part | cases | faults | double | of both, change a label | equivalent | masked | benign "
        "| clean | wrong by themselves |"
    )
    yield f"| --- |{' ---: |' * 9}"
    for name, cases in parts.items():
        kinds = Counter(case.kind for case in cases)
        label = sum(case.truth["class"] == "label" for case in planted(cases))
        numbers = [len(cases), kinds["fault"], kinds["double"], label]
        numbers += [kinds[kind] for kind in (EQUIVALENT, MASKED, "benign", "clean", "real")]
        yield f"| {name} | {' | '.join(map(str, numbers))} |"


def report(cases: list[Case]) -> str:
    """The whole text."""
    by_part = grouped(cases, lambda case: case.truth["part"])
    parts = ["\n".join(corpus_table(by_part))]
    for part, some in by_part.items():
        by_format = grouped(some, lambda case: case.truth["framework"])
        parts += [
            f"### {part}",
            "\n".join(table({"all": some} | (by_format if len(by_format) > 1 else {}))),
        ]
        if part == DEVELOPMENT:
            continue
        single = [case for case in planted(some) if case.kind == "fault"]
        parts += [
            "\n".join(breakdown("depth", grouped(single, lambda c: c.truth["faults"][0]["depth"]))),
            "\n".join(routes(single)),
            "\n".join(breakdown("mutation", grouped(single, lambda case: case.mutation))),
            "\n".join(comparison(some)),
        ]
    return "\n\n".join(filter(None, parts)) + "\n"


def main(options: argparse.Namespace) -> None:
    """Print the tables, or the misses."""
    cases = read(options.corpus, options.outs)
    print("\n".join(misses(cases)) if options.misses else report(cases))


if __name__ == "__main__":
    made = argparse.ArgumentParser(description=__doc__)
    made.add_argument("corpus", type=Path)
    made.add_argument("outs", type=Path, nargs="+")
    made.add_argument("--misses", action="store_true", help="list what is wrong instead")
    main(made.parse_args())
