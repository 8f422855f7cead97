"""Score what the tool said of wrong compiler passes: `score_passes.py OUT.jsonl`, in markdown."""

import json
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import judged
from score import Count, mcnemar

LEVELS = {
    "relax": "one operator of the graph",
    "tir": "one place in a kernel",
    "pair": "two passes, wrong only together",
}
RIGHT = "right"


@dataclass(frozen=True)
class Case:
    """A line of the answers: truth and answer."""

    line: dict[str, Any]

    @property
    def kind(self) -> str:
        """`right`, `left_out`, `equivalent`, `masked` or `fault`."""
        if self.line["level"] == RIGHT:
            return RIGHT
        if "left_out" in self.line:
            return "left_out"
        if self.line["class"] == judged.EQUIVALENT:
            return judged.EQUIVALENT
        return judged.MASKED if self.line["change"] <= self.line["floor"] else "fault"

    @property
    def alarm(self) -> bool:
        """Whether the tool blames a pass."""
        return bool(self.line["minimal"])

    @property
    def pass_right(self) -> bool:
        """Whether it names the wrong passes, all and no other."""
        return {*self.line["minimal"]} == {*self.line["hosts"]}

    @property
    def pass_named(self) -> bool:
        """Whether the wrong passes are among those that it names."""
        return {*self.line["minimal"]} >= {*self.line["hosts"]}

    @property
    def kernel_right(self) -> bool:
        """Whether it also names a kernel that they changed."""
        said = [self.line["kernel"], self.line["number"]]
        return self.pass_right and said in self.line["kernels"]

    @property
    def single_right(self) -> bool:
        """Whether the passes that fail if each is tried alone are the wrong ones."""
        return {*self.line["single_pass"]} == {*self.line["hosts"]}


def read(path: Path) -> list[Case]:
    """The cases of a file of answers."""
    return [Case(json.loads(line)) for line in path.read_text("utf-8").splitlines()]


def _count(cases: Iterable[Case], hit: Callable[[Case], bool]) -> Count:
    hits = [hit(case) for case in cases]
    return Count(sum(hits), len(hits))


def table(cases: list[Case]) -> Iterator[str]:
    """A row for each level of faults, and one for all."""
    yield (
        "| wrong pass | made | equivalent | masked | noticed | among those named | pass right "
        "| kernel right "
        "| single_pass, reimplemented | only the tool | only it | p |"
    )
    yield "| --- | ---: | ---: | ---: | --- | --- | --- | --- | --- | ---: | ---: | ---: |"
    for level, name in ({"": "all"} | LEVELS).items():
        some = [case for case in cases if level in ("", case.line["level"])]
        kinds = [case.kind for case in some if case.kind not in (RIGHT, "left_out")]
        faulty = [case for case in some if case.kind == "fault"]
        ours = sum(case.pass_right and not case.single_right for case in faulty)
        theirs = sum(case.single_right and not case.pass_right for case in faulty)
        cells = [
            len(kinds),
            kinds.count(judged.EQUIVALENT),
            kinds.count(judged.MASKED),
            *(
                _count(faulty, hit)
                for hit in (
                    lambda case: case.alarm,
                    lambda case: case.pass_named,
                    lambda case: case.pass_right,
                    lambda case: case.kernel_right,
                    lambda case: case.single_right,
                )
            ),
            ours,
            theirs,
            f"{mcnemar(ours, theirs):.1g}",
        ]
        yield f"| {name} | {' | '.join(map(str, cells))} |"


def settings(cases: list[Case]) -> Iterator[str]:
    """A row for each setting."""
    yield "| setting | cases | pass right | kernel right | single pass | left out |"
    yield "| --- | ---: | ---: | ---: | ---: | ---: |"
    names = [(case.line["level"], case.line.get("setting", "")) for case in cases]
    for level, setting in sorted({*names} - {(RIGHT, "")}):
        some = [case for case in cases if case.line.get("setting") == setting]
        some = [case for case in some if case.line["level"] == level]
        faulty = [case for case in some if case.kind == "fault"]
        hits = [
            _count(faulty, hit).hits
            for hit in (
                lambda case: case.pass_right,
                lambda case: case.kernel_right,
                lambda case: case.single_right,
            )
        ]
        shown = " | ".join(f"{hit}/{len(faulty)}" if faulty else "–" for hit in hits)
        left = sum(case.kind == "left_out" for case in some)
        yield f"| {level}, {setting} | {len(faulty)} | {shown} | {left} |"


def report(cases: list[Case]) -> str:
    """The whole text."""
    alarms = []
    for kind in (RIGHT, judged.EQUIVALENT, judged.MASKED):
        some = [case for case in cases if case.kind == kind]
        alarms.append(f"| {kind} | {_count(some, lambda case: case.alarm)} |")
    parts = [
        "### passes",
        "\n".join(table(cases)),
        "\n".join(["| passes that are | alarms |", "| --- | --- |", *alarms]),
        "\n".join(settings(cases)),
    ]
    return "\n\n".join(parts) + "\n"


if __name__ == "__main__":
    print(report(read(Path(sys.argv[1]))))
