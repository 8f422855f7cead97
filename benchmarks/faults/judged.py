"""A case of the corpus: its truth, and what the tool said of it."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

ALARMS, FAILED = ("found", "partly"), "failed"
# A repair that is no further than this from the source, as a share of the largest logit, is one.
FUNCTIONAL = 1e-3
# A conversion behind a fault that changes logits by no more, as that share, is right.
LATER = 1e-4
# The part that thresholds were chosen on: neither repaired nor broken down in the tables.
DEVELOPMENT = "development"
# A fault that no answer shows: some operators behind it make its tensors equal again.
EQUIVALENT, MASKED = "equivalent", "masked"


@dataclass(frozen=True)
class Case:
    """A case's truth, and what the tool said of it."""

    truth: dict[str, Any]
    answer: dict[str, Any]

    @property
    def kind(self) -> str:
        """`fault`, `double`, `benign`, `clean`, `real`, or `equivalent`, `masked` faults."""
        if self.truth["kind"] in ("fault", "double"):
            if self.truth["class"] == EQUIVALENT:
                return EQUIVALENT
            if self.truth["change"] <= self.truth["floor"]:
                return MASKED
        return self.truth["kind"]

    @property
    def mutation(self) -> str:
        """The names of its mutations."""
        return " + ".join(fault["mutation"] for fault in self.truth["faults"])

    @property
    def stage(self) -> str | int:
        """Where the fault came in: a place among the case's files, or the preprocessing."""
        if self.truth["images"] != self.truth["converted_images"]:
            return "preprocessing"
        return self.truth.get("stage", len(self.truth["files"]) - 1)

    @property
    def alarm(self) -> bool:
        """Whether the tool says that there is a fault."""
        return self.answer["outcome"] in ALARMS

    @property
    def noticed(self) -> bool:
        """Whether the tool says anything but that the models are the same."""
        return self.answer["outcome"] not in ("same", FAILED)

    @property
    def stage_right(self) -> bool:
        """Whether it names the file at which the fault came in."""
        return self.answer["outcome"] != "same" and self.answer.get("stage") == self.stage

    @property
    def route(self) -> str:
        """The conversion that is at fault, and those behind it."""
        names = [item["conversion"] for item in self.truth["files"]][self.truth["stage"] :]
        return ", then ".join(names)

    @property
    def later_right(self) -> bool:
        """Whether the conversions behind the fault, if any, change no answer by themselves."""
        later = self.truth.get("later", [])
        return bool(later) and max(later) <= LATER

    @property
    def has_operators(self) -> bool:
        """Whether an operator is at fault."""
        return all(fault["operators"] or fault["around"] for fault in self.truth["faults"])

    @property
    def family_right(self) -> bool:
        """Whether the first thing that it names is of the fault's family."""
        said = self.answer.get("families", [])
        right = {name for fault in self.truth["faults"] for name in fault["families"]}
        return bool(said) and said[0] in right

    def ranked(self, baseline: str = "") -> list[list[str]]:
        """Operators, most suspect first: a list per fault that was found."""
        if baseline:
            return [self.answer.get("baselines", {}).get(baseline, [])]
        return [fault["ranked"] for fault in self.answer.get("faults", [])]

    def within(self, most: int, baseline: str = "") -> bool:
        """Whether every fault is among the first operators that are named."""
        found = [name for names in self.ranked(baseline)[:1] for name in names[:most]]
        if len(self.truth["faults"]) > 1:
            found = [name for names in self.ranked(baseline) for name in names[:most]]
        return all({*_accepted(fault)} & {*found} for fault in self.truth["faults"])

    @property
    def exam(self) -> float:
        """The share of operators that are looked at before the one at fault, on average."""
        count = max(1, self.truth["operators"])
        named = [name for names in self.ranked() for name in names]
        costs = []
        for fault in self.truth["faults"]:
            places = [named.index(name) + 1 for name in _accepted(fault) if name in named]
            costs.append(min(places, default=(len(named) + count + 1) / 2) / count)
        return min(1.0, float(np.mean(costs)))

    @property
    def repairable(self) -> bool:
        """Whether edits of the target can mend it."""
        return all(fault["repairable"] for fault in self.truth["faults"])

    def repaired(self, most: float) -> bool:
        """Whether it was repaired: the unseen images' labels, and the logits up to `most`."""
        answer = self.answer
        right = answer.get("repaired", False) and not answer["labels_left"]
        return bool(right) and answer["left"] <= most


def _accepted(fault: dict[str, Any]) -> list[str]:
    """The operators that are a right answer: of a missing one its neighbours."""
    return [*fault["operators"], *fault["around"]]


def read(corpus: Path, outs: Iterable[Path]) -> list[Case]:
    """The cases that have an answer; of several lines of one case, later ones lie over earlier."""
    answers: dict[str, dict[str, Any]] = {}
    for path in outs:
        for line in path.read_text("utf-8").splitlines():
            answer = json.loads(line)
            answers.setdefault(answer["id"], {}).update(answer)
    truths = {name: corpus / "truth" / f"{name}.json" for name in answers}
    return [
        Case(json.loads(path.read_text("utf-8")), answers[name])
        for name, path in sorted(truths.items())
        if path.exists()
    ]
