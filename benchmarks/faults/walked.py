"""Routes of several conversions, as `explain` walks them: which edge changes the answers?

In the environment `test`.
"""

import shutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import cases
import hops
import numpy as np
from judged import FAILED
from pictures import DEVIATION, HEIGHT, MEAN, WIDTH

from deltann import runners
from deltann.execution.isolation import Limits
from deltann.execution.session import Session
from deltann.explain import search, stages
from deltann.explain.chain import Artefact, Images
from deltann.localise import localise, remote
from deltann.localise.finding import Outcome
from deltann.precision import Precision

LIMITS = Limits(seconds=300, memory_mb=8000)
# Images that the tool sees.
SEEN = 10
CLASSES = 12
PREPROCESSING = {
    "resize": None,
    "crop": [HEIGHT, WIDTH],
    "interpolation": "bilinear",
    "channels": "RGB",
    "mean": MEAN,
    "std": DEVIATION,
    "classes": CLASSES,
    "background": 0,
}


def answers(model: remote.RemoteTracer | tuple[str, Path], images: np.ndarray) -> np.ndarray:
    """A model's logits, (image, class) float64; of an open tracer or a file."""
    if isinstance(model, tuple):
        with remote.open_tracer(*model) as tracer:
            return answers(tracer, images)
    fitted = localise.fitted(images[:, None], model.input_shape)
    rows = [np.ravel(model.run(image, [model.output])[model.output]) for image in fitted]
    return np.stack(rows).astype(np.float64)


def finish(corpus: Path) -> None:
    """Leave out cases that can't be converted on; note what conversions behind a fault change.

    A truth gets `later`: how far the logits of each file behind the changed one are from those of
    the file before it, as a share of the largest.
    """
    images = np.load(corpus / "models" / "right.npy")
    for path, truth in hops.truths(corpus):
        files = [corpus / item["path"] for item in truth["files"]]
        missing = next((file for file in files if not file.exists()), None)
        if missing:
            why = hops.failure(missing).read_text("utf-8")
            left = corpus / "left_out" / f"{truth['framework']}-{truth['part']}.json"
            name = f"{truth['faults'][0]['mutation']}, then {missing.name.split('.')[0]}"
            cases.LeftOut(left).add(name, truth["key"], RuntimeError(why))
            path.unlink()
            shutil.rmtree(corpus / "cases" / truth["id"])
        elif "later" not in truth:
            models = zip((item["framework"] for item in truth["files"]), files, strict=True)
            logits = [answers(model, images) for model in list(models)[truth["stage"] :]]
            apart = [cases.apart(b, a) for a, b in zip(logits, logits[1:], strict=False)]
            cases.write_json(path, truth | {"later": apart})


def pixels(images: np.ndarray) -> np.ndarray:
    """What images were before they were normalised: uint8 (image, y, x, channel)."""
    values = images.transpose(0, 2, 3, 1) * np.float32(DEVIATION) + np.float32(MEAN)
    return np.rint(values * 255).astype(np.uint8)


@dataclass
class Walk:
    """`explain` at work; the unconverted models' answers are kept from case to case."""

    corpus: Path
    native: dict[str, np.ndarray] = field(default_factory=dict)

    def locate(self, case: dict[str, Any]) -> dict[str, Any]:
        """What the tool says of a case: as `locate.described`, and `later`, the other blamed edges.

        Raises:
            deltann.execution.session.ToolFailed: a file can't be run.
        """
        chain = [self.artefact(item) for item in case["files"]]
        images = pixels(np.load(self.corpus / case["images"])[:SEEN])
        source = case["files"][0]["path"]
        if source not in self.native:
            self.native = {source: predicted(chain[0], images)}
        native, own = self.native[source], predicted(chain[-1], images)
        rows = search.chosen(native, own)
        shown = Images(images[rows], PREPROCESSING, "pillow")
        runtime = stages.Runtime("its own", True, False, "", "")
        walked = stages.Case(chain, shown, shown, native[rows], own[rows], runtime, LIMITS, 1)
        return described(chain, *stages.of_edges(walked)[:2])

    def artefact(self, item: dict[str, str]) -> Artefact:
        """A file of a case."""
        edge = "" if item["conversion"] == "unconverted" else item["conversion"]
        path = self.corpus / item["path"]
        return Artefact(edge, edge, {}, item["framework"], path, "", Precision({}))


def predicted(artefact: Artefact, images: np.ndarray) -> np.ndarray:
    """What a file answers in its own runtime, as a prediction file has it: (image, class).

    Raises:
        deltann.execution.session.ToolFailed: it can't be run.
    """
    python = remote.python(runners.get(artefact.framework).ENVIRONMENT)
    given = {"runner": artefact.framework, "model_file": str(artefact.path), "threads": 1}
    with Session(python, "deltann.explain.answers", given, LIMITS) as session:
        logits: np.ndarray = session.call("answer", pixels=images, preprocessing=PREPROCESSING)
        return logits


def described(
    chain: list[Artefact], rows: list[dict[str, Any]], localisations: list[dict[str, Any]]
) -> dict[str, Any]:
    """The rows of a walk as `locate.described` has a localisation, and `later`."""
    blamed = [row for row in rows if row["differs"]]
    if not blamed:
        unknown = next((row["why"] for row in rows if row["differs"] is None), "")
        return {"outcome": FAILED if unknown else str(Outcome.SAME), "why": unknown}
    first = blamed[0]
    edges = [item.edge for item in chain]
    answer = {
        "stage": edges.index(first["name"]) if first["name"] in edges else first["name"],
        "later": [row["name"] for row in blamed[1:]],
    }
    found = localisations[first["localisation"]]
    if "error" in found:
        return answer | {"outcome": FAILED, "why": str(found["error"])[:300]}
    families = [item["differences"][:1] for item in found["faults"]]
    return answer | {
        "outcome": found["outcome"] if first["stage"] == stages.Stage.CONVERSION else "runtime",
        "why": found["why"] or first["why"],
        "faults": [
            {"verdict": item["verdict"], "ranked": item["ranked"][:10]} for item in found["faults"]
        ],
        "families": [first["family"] for (first,) in filter(None, families)],
    }
