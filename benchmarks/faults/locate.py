"""Run the tool over a corpus: `locate.py CORPUS OUT.jsonl`, one line per case.

The tool is given a case's files and images, never its truth.
"""

import argparse
import json
import sys
import time
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "scripts"))

import baselines  # noqa: E402
import hops  # noqa: E402
import numpy as np  # noqa: E402
from judged import FAILED  # noqa: E402
from walked import SEEN, Walk, answers  # noqa: E402  those after them judge a repair

from deltann.localise import localise, remote  # noqa: E402  the folder above first
from deltann.localise.finding import Fault, Localisation, Outcome  # noqa: E402
from deltann.repair import by_edits  # noqa: E402


@dataclass
class Tool:
    """The tool at work: the source's model stays loaded from one case to the next."""

    corpus: Path
    work: Path
    repairs: bool
    baselines: bool
    captured: dict[str, baselines.Captured] = field(default_factory=dict)
    right: dict[str, np.ndarray] = field(default_factory=dict)
    same: set[tuple[str, str]] = field(default_factory=set)
    source: tuple[str, remote.RemoteTracer] | None = None

    def open_source(self, file: dict[str, str], stack: ExitStack) -> remote.RemoteTracer:
        """The tracer of the file before a hop."""
        if self.source is None or self.source[0] != file["path"]:
            stack.close()
            path = self.corpus / file["path"]
            tracer = stack.enter_context(remote.open_tracer(file["framework"], path))
            self.source = (file["path"], tracer)
        return self.source[1]

    def locate(self, case: dict[str, Any], stack: ExitStack) -> dict[str, Any]:
        """What the tool says of a case."""
        images, converted = (
            np.load(self.corpus / case[name]) for name in ("images", "converted_images")
        )
        if not np.array_equal(images, converted):
            return {"outcome": str(Outcome.FOUND), "stage": "preprocessing", "families": ["input"]}
        answer: dict[str, Any] = {}
        for stage in range(1, len(case["files"])):
            before, file = case["files"][stage - 1 : stage + 1]
            if (before["path"], file["path"]) in self.same:
                continue
            source = self.open_source(before, stack)
            with remote.open_tracer(file["framework"], self.corpus / file["path"]) as target:
                start = time.perf_counter()
                shown = self.changed(before, source, target, images)
                found = localise.localise(source, target, shown)
                seconds = time.perf_counter() - start
                others = self.compare(case, stage, source, target, images)
            answer = described(found) | others | {"seconds": seconds}
            if found.outcome == Outcome.SAME:
                self.same.add((before["path"], file["path"]))
                continue
            answer["stage"] = stage
            if self.repairs:
                answer |= self.repair(case, source, file, images, shown)
            return answer
        unrepaired = {"repaired": False} if self.repairs else {}
        return (answer or {"outcome": str(Outcome.SAME)}) | unrepaired

    def changed(
        self,
        before: dict[str, str],
        source: remote.RemoteTracer,
        target: remote.RemoteTracer,
        images: np.ndarray,
    ) -> np.ndarray:
        """The images that the tool sees, those first whose answers differ most."""
        if before["path"] not in self.right:
            self.right = {before["path"]: answers(source, images[:SEEN])}
        right, given = self.right[before["path"]], answers(target, images[:SEEN])
        if right.shape != given.shape:
            return images[:SEEN, None]
        return images[np.argsort(-np.abs(right - given).max(axis=1), kind="stable"), None]

    def compare(
        self,
        case: dict[str, Any],
        stage: int,
        source: remote.RemoteTracer,
        target: remote.RemoteTracer,
        images: np.ndarray,
    ) -> dict[str, Any]:
        """What the baselines say of a hop: of the last one, the only one that they are given."""
        if not self.baselines or stage < len(case["files"]) - 1:
            return {}
        path = case["files"][stage - 1]["path"]
        if path not in self.captured:
            self.captured = {path: baselines.capture(source, images[:, None])}
        other = baselines.capture(target, images[:, None])
        return {"baselines": baselines.run(self.captured[path], other)}

    def repair(
        self,
        case: dict[str, Any],
        source: remote.RemoteTracer,
        file: dict[str, str],
        images: np.ndarray,
        shown: np.ndarray,
    ) -> dict[str, Any]:
        """Repair a file by the images that are shown, and judge it on the others too."""
        start = time.perf_counter()
        folder = self.work / case["id"]
        folder.mkdir(parents=True, exist_ok=True)
        path = self.corpus / file["path"]
        mended, edits, _ = by_edits.repair(source, file["framework"], path, list(shown), folder)
        answer: dict[str, Any] = {"repaired": mended is not None, "edits": len(edits)}
        if mended is not None:
            right, wrong, now = (
                answers(tracer, images)
                for tracer in (source, (file["framework"], path), (file["framework"], mended))
            )
            agreed = right.argmax(1) == wrong.argmax(1)
            answer |= {
                "left": float(np.abs(now - right).max() / np.abs(right).max()),
                "labels_left": int((right.argmax(1) != now.argmax(1))[SEEN:].sum()),
                "regressions": int((agreed & (right.argmax(1) != now.argmax(1))).sum()),
            }
        return answer | {"repair_seconds": time.perf_counter() - start}


def described(found: Localisation) -> dict[str, Any]:
    """A localisation as JSON has it."""
    return {
        "outcome": str(found.outcome),
        "why": found.why,
        "difference": found.difference,
        "noise": found.noise,
        "coverage": [found.matched, found.compared],
        "faults": [_fault(fault) for fault in found.faults],
        "families": [
            str(fault.differences[0].family) for fault in found.faults if fault.differences
        ],
    }


def _fault(fault: Fault) -> dict[str, Any]:
    return {
        "verdict": str(fault.verdict),
        "ranked": list(fault.ranked[:10]),
        "segment": len(fault.target_operators),
        "sources": [item.name for item in fault.source_operators][:10],
        "differences": [
            {"family": str(item.family), "what": item.what, "operator": item.target_operator}
            | {"key": item.key, "edits": len(item.edits)}
            for item in fault.differences[:5]
        ],
    }


def chosen(corpus: Path, options: argparse.Namespace) -> list[dict[str, Any]]:
    """The cases to run, those of one source file together."""
    cases = [json.loads(path.read_text("utf-8")) for path in corpus.glob("cases/*/case.json")]
    kept = [
        case
        for case in cases
        if options.part in ("", case["part"])
        and (not options.format or case["framework"] in options.format)
        and (not options.ids or case["id"] in options.ids)
    ]
    order = sorted(
        kept, key=lambda case: ([item["path"] for item in case["files"][:-1]], case["id"])
    )
    return order[: options.most]


def main(options: argparse.Namespace) -> None:
    """Run the cases that have no line yet."""
    done = set()
    if options.out.exists():
        lines = options.out.read_text("utf-8").splitlines()
        done = {json.loads(line)["id"] for line in lines}
    walk = Walk(options.corpus)
    tool = Tool(options.corpus, options.corpus / "repaired", options.repair, options.baselines)
    with open(options.out, "a", encoding="utf-8") as out, ExitStack() as stack:
        for case in chosen(options.corpus, options):
            if case["id"] in done:
                continue
            start = time.perf_counter()
            try:
                hopped = case["part"] == hops.PART
                answer = walk.locate(case) if hopped else tool.locate(case, stack)
            except Exception as error:  # of a tool: an outcome like others
                why = f"{type(error).__name__}: {error}"[:300]
                answer = {"outcome": FAILED, "why": why}
                tool.source = None
            answer.setdefault("seconds", time.perf_counter() - start)
            out.write(
                json.dumps({"id": case["id"], "framework": case["framework"]} | answer) + "\n"
            )
            out.flush()


def parser() -> argparse.ArgumentParser:
    """The options."""
    made = argparse.ArgumentParser(description=__doc__)
    made.add_argument("corpus", type=Path)
    made.add_argument("out", type=Path)
    made.add_argument("--format", nargs="*", default=[], help="only these frameworks")
    made.add_argument("--part", default="", help="development, held-out, hops or ci")
    made.add_argument("--ids", nargs="*", default=[], help="only these cases")
    made.add_argument("--most", type=int, default=None, help="so many cases")
    made.add_argument("--repair", action="store_true", help="repair what was located")
    made.add_argument("--baselines", action="store_true", help="run the baselines as well")
    return made


if __name__ == "__main__":
    main(parser().parse_args())
