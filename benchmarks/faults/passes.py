"""Wrong compiler passes: does the tool name the pass, or the pair of passes, and the kernel?

Run in the environment `tvm`: `passes.py CORPUS OUT.jsonl NETWORK...`, one line per case. The
tool is `deltann.explain.search`, as the stage `explain` calls it. It compiles by the pipeline in
which a pass is wrong; it isn't told which.
"""

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from random import Random
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "scripts"))

import cases  # noqa: E402
import numpy as np  # noqa: E402
from kernels import Kernel, changed_kernels, kernels  # noqa: E402
from pass_faults import PAIR, SEED, PassFault, faults, planted  # noqa: E402
from walked import LIMITS, PREPROCESSING, SEEN, pixels  # noqa: E402

from deltann.cell import UNSCHEDULED  # noqa: E402  the folders above first
from deltann.explain import attempt, locate, search  # noqa: E402
from deltann.explain.attempts import Attempt, Attempts  # noqa: E402
from deltann.images.preprocessing import Preprocessing  # noqa: E402
from deltann.tolerance import TOLERANCE  # noqa: E402
from deltann.tvm import importers, levels, pipeline, target_kinds  # noqa: E402

SWITCHES = levels.LEVELS["O3"]
# LLVM's own optimization takes most of the time, and no wrong pass is planted there.
TARGET = {"kind": "llvm", "mcpu": "host", "opt-level": 0}
# Pipelines that are right, beside levels and single passes: random subsets of O3.
SUBSETS = 6
RIGHT = "right"
Tried = dict[tuple[str, ...], Attempt]


@dataclass
class Cell:
    """A network that TVM compiles.

    Attributes:
        model: its `.pt2` file.
        images: uint8 (image, y, x, channel); `file` has them too.
        exact: its logits in float64, (image, class).
        folder: for files.
        right: what was compiled by the right pipeline.
    """

    model: Path
    images: np.ndarray
    file: Path
    exact: np.ndarray
    folder: Path
    right: Tried = field(default_factory=dict)

    def attempt(self, switches: tuple[str, ...], fault: PassFault | None, tried: Tried) -> Attempt:
        """Compile and run a set of passes, of which some may be wrong; on all images."""
        held = tried if fault and {*fault.hosts} & {*switches} else self.right
        if switches not in held:
            folder = Path(tempfile.mkdtemp(dir=self.folder))
            compilation = {"framework": "torch", "target": TARGET, "model_file": str(self.model)}
            compilation |= {"passes": list(switches), "schedule": UNSCHEDULED}
            try:
                with planted(fault):
                    attempt.work(compilation, PREPROCESSING, str(self.file), 1, str(folder))
                held[switches] = Attempt(folder, np.load(folder / attempt.LOGITS), "")
            except Exception as error:  # of TVM: an outcome, as in a process of its own
                held[switches] = Attempt(folder, None, f"{type(error).__name__}: {error}")
        return held[switches]

    def kernels(self, switches: tuple[str, ...], fault: PassFault | None) -> list[Kernel]:
        """The kernels that some passes make."""
        tvm = pipeline.start_tvm("torch")
        kind = target_kinds.get(TARGET["kind"])
        target = tvm.target.Target(kind.resolve(TARGET))
        module = pipeline.import_file(self.model, "torch", pipeline.Clock())[1]
        with planted(fault):
            steps = levels.kernel_pipeline(switches, kind, target, own_kernels=False)
        with target, tvm.transform.PassContext(opt_level=3):
            return kernels(levels.run(steps, module, switches)[0])


@dataclass
class Planted(Attempts):
    """The tool's attempts at compiling, by a pipeline in which a pass may be wrong.

    They run in this process. What no wrong pass takes part in is compiled once for all cases.
    """

    cell: Cell | None = None
    fault: PassFault | None = None
    wrong: Tried = field(default_factory=dict)
    rows: Any = None

    def _start(self, switches: tuple[str, ...], schedule: str | None) -> Attempt:
        assert self.cell is not None
        found = self.cell.attempt(switches, self.fault, self.wrong)
        if found.logits is not None:
            found = found._replace(logits=found.logits[self.rows])
        self.tried[switches, schedule] = found
        return found


def searched(
    cell: Cell, switches: tuple[str, ...], fault: PassFault | None, wrong: Tried
) -> dict[str, Any]:
    """What the tool says of a cell that was compiled by some passes, and what the baseline does.

    Raises:
        StudyError: the cell can't be compiled.
    """
    native = cell.exact.astype(np.float32)
    whole = cell.attempt(switches, fault, wrong).answers()
    rows = search.chosen(native, whole)
    names = tuple(f"image {row}" for row in rows)
    file = cell.folder / "chosen.npy"
    np.save(file, cell.images[rows])
    run = {"preprocessing": PREPROCESSING, "pixels": str(file), "threads": 1}
    attempts = Planted({}, run, LIMITS, 0, cell.folder, cell=cell, fault=fault, rows=rows)
    attempts.wrong = wrong
    case = search.Case(switches, names, native[rows], whole[rows])
    start = time.perf_counter()
    facts, reference = search.search(case, attempts)
    seconds = time.perf_counter() - start
    kernel = facts["kernel"] or {}
    criterion = search.Criterion(case, reference, whole[rows])
    alone = {name: attempts.attempt((name,)) for name in switches}
    single = [name for name in switches if criterion.judge((name,), alone[name])["fails"]]
    return {
        "minimal": facts["minimal"],
        "kernel": kernel.get("name"),
        "number": kernel.get("number"),
        "kernel_error": facts.get("kernel_error", ""),
        "criterion": facts["criterion"],
        "sets": len(facts["sets"]),
        "single_pass": single,
        "seconds": seconds,
    }


def judged(cell: Cell, fault: PassFault) -> dict[str, Any]:
    """The truth of a fault, and what the tool says.

    Raises:
        ValueError: the fault doesn't fit, or it isn't one that needs all of its passes.
        Exception: TVM's own.
    """
    first = replace(fault, hosts=fault.hosts[:-1])  # of a pair
    for switches in (fault.hosts, SWITCHES):
        right, wrong = (cell.kernels(switches, item) for item in (first, fault))
        if not changed_kernels(right, wrong):
            raise ValueError("no operator or kernel that it fits")
    right, wrong = (cell.kernels(fault.hosts, item) for item in (None, fault))
    changed = changed_kernels(right, wrong)
    tried: Tried = {}
    clean = cell.attempt(SWITCHES, None, tried).answers()
    given = cell.attempt(SWITCHES, fault, tried).answers()
    for host in fault.hosts if fault.level == PAIR else ():
        found = cell.attempt((host,), fault, tried).answers()
        if not cases.apart(found, cell.attempt((host,), None, tried).answers()) <= TOLERANCE:
            raise ValueError("one pass of the pair is wrong alone")
    before, after = (traced(cell, item, tried, fault.hosts) for item in (None, fault))
    own = inside(before, after)
    truth = cases.classify(cell.exact, clean.astype(np.float64), given.astype(np.float64), own)
    run = [item.kernel for item in after]
    numbers = {name: [place for place, other in enumerate(run, 1) if other == name] for name in run}
    truth["kernels"] = [[name, numbers[name][call]] for name, call in changed]
    return truth | searched(cell, SWITCHES, fault, tried)


def traced(
    cell: Cell, fault: PassFault | None, tried: Tried, switches: tuple[str, ...]
) -> list[locate.Written]:
    """What each kernel writes for the first image."""
    found = cell.attempt(switches, fault, tried)
    found.answers()
    return locate.traced(found.folder, cell.images[0], Preprocessing(**PREPROCESSING), 1)[0]


def inside(right: list[locate.Written], wrong: list[locate.Written]) -> float:
    """How far a tensor is from the right one, as a share; infinite if the kernels are others."""
    if len(right) != len(wrong):
        return float("inf")
    return max(cases.apart(b.content, a.content) for a, b in zip(right, wrong, strict=True))


def right_sets(network: str) -> Iterator[tuple[str, ...]]:
    """Sets of passes for false alarms."""
    yield from (levels.LEVELS[name] for name in ("O1", "O2", "O3"))
    yield from ((name,) for name in SWITCHES[1:])
    choose = Random(f"{SEED} {network} right")
    for _ in range(SUBSETS):
        some = choose.sample(SWITCHES, choose.randint(2, len(SWITCHES) - 1))
        yield tuple(name for name in SWITCHES if name in some)


def main(corpus: Path, out: Path, networks: list[str], only: list[str]) -> None:
    """Run the cases that have no line yet; all, or those of some names."""
    # a network is imported once: what is wrong comes later
    pipeline.import_model = cache(pipeline.import_model)
    importers.tensor_types = cache(importers.tensor_types)
    lines = out.read_text("utf-8").splitlines() if out.exists() else []
    done = {json.loads(line)["id"] for line in lines}
    images = pixels(np.load(corpus / "models" / "right.npy")[:SEEN])
    for network in networks:
        exact = np.load(corpus / "models" / f"{network}.npy")[:SEEN]
        with tempfile.TemporaryDirectory() as folder, open(out, "a", encoding="utf-8") as file:
            pictures = Path(folder) / "images.npy"
            np.save(pictures, images)
            model = corpus / "models" / f"{network}.pt2"
            cell = Cell(model, images, pictures, exact, Path(folder))
            for case in every(cell, network, done, only):
                file.write(json.dumps({"network": network} | case) + "\n")
                file.flush()


def every(cell: Cell, network: str, done: set[str], only: list[str]) -> Iterator[dict[str, Any]]:
    """The cases of a network that aren't done: right pipelines first."""

    def wanted(name: str) -> bool:
        return name not in done and (not only or name in only)

    for switches in right_sets(network):
        name = f"{network} {' '.join(switches)}"
        if wanted(name):
            case = {"id": name, "level": RIGHT, "switches": list(switches)}
            yield case | searched(cell, switches, None, {})
    for fault in faults(network):
        name = f"{network} {fault.name}"
        if not wanted(name):
            continue
        case = {"id": name, "level": fault.level, "setting": fault.setting}
        case["hosts"] = list(fault.hosts)
        try:
            yield case | judged(cell, fault)
        except Exception as error:  # it doesn't fit, or TVM refuses it
            yield case | {"left_out": f"{type(error).__name__}: {error}".splitlines()[0][:200]}


if __name__ == "__main__":
    made = argparse.ArgumentParser(description=__doc__)
    made.add_argument("corpus", type=Path)
    made.add_argument("out", type=Path)
    made.add_argument("networks", nargs="+")
    made.add_argument("--only", nargs="*", default=[], help="names of cases")
    given = made.parse_args()
    main(given.corpus, given.out, given.networks, given.only)
