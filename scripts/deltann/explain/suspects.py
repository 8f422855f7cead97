"""The fault whose example is made, and the files before and after it."""

from dataclasses import dataclass, replace

from deltann import converters, runners
from deltann.explain.answer import fault_in_words
from deltann.explain.chain import Artefact, Images
from deltann.explain.snippets_convert import CALLS, importer
from deltann.explain.stages import IMPORTER, Case, Stage
from deltann.localise.finding import Verdict


@dataclass(frozen=True)
class Suspect:
    """A fault whose example is made.

    Attributes:
        source, target: the files before and after it; of TVM's import, the same file twice.
        name: what changed the model: edges, or TVM's import.
        call: of `snippets_convert.CALLS`; empty if the script can't convert: several edges are to
            blame together, or the converter isn't this project's.
        fault: its facts, see `operators.facts`; None if no operator is known.
        images: those that the model gets.
    """

    source: Artefact
    target: Artefact
    name: str
    call: str
    fault: dict | None
    images: Images

    @property
    def what(self) -> str:
        """The fault in words."""
        if self.fault is None:
            return f"{self.name} changes answers; the operator isn't known."
        return f"{self.name} changed {fault_in_words(self.fault)}."

    @property
    def operators(self) -> list[dict]:
        """The source's operators among the suspects."""
        return self.fault["source_operators"] if self.fault else []

    @property
    def environment(self) -> str:
        """Where the script runs: the converter's, if it converts; else the target's runtime's."""
        if self.target.framework == IMPORTER or not self.call:
            return runners.get(self.target.framework).ENVIRONMENT
        return converters.get(self.target.converter).ENVIRONMENT


def suspect(case: Case, facts: dict) -> Suspect | None:
    """The first located fault, else the first one, else the first edge that changes answers.

    Args:
        case: the cell's.
        facts: those of the page.

    Returns:
        None if no conversion and no import does.
    """
    found = [item for row in facts["stages"] for item in _of_row(case, facts, row)]

    def order(item: Suspect) -> int:
        if item.fault is None:
            return 2
        return int(item.fault["verdict"] != Verdict.LOCATED)

    return min(found, key=order, default=None)


def _of_row(case: Case, facts: dict, row: dict) -> list[Suspect]:
    """The faults of a row of the table of stages."""
    if row["stage"] not in (Stage.CONVERSION, Stage.IMPORT) or "localisation" not in row:
        return []
    located = facts["localisations"][row["localisation"]]
    faults = located.get("faults") or [None]
    if row["stage"] == Stage.IMPORT:
        source = case.chain[-1]
        target = replace(source, framework=IMPORTER, settings={})
        name, call = f"TVM's import of {source.name}", importer(source.framework)
        return [Suspect(source, target, name, call, fault, case.own) for fault in faults]
    start, end = row["between"]
    source, target = case.chain[start], case.chain[end]
    known = end - start == 1 and target.converter in CALLS  # else a file between them can't run
    call = target.converter if known else ""
    return [Suspect(source, target, row["name"], call, fault, case.native) for fault in faults]
