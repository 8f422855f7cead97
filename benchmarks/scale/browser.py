"""How large the explorer of a large study is, and how long a browser takes to open it.

Two programs, as no environment has both a browser's driver and the explorer's libraries:

    .envs/analysis/bin/python benchmarks/scale/browser.py plant --size 576x5500 explorer.html
    .envs/test/bin/python benchmarks/scale/browser.py open explorer.html
"""

import argparse
import statistics
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "scripts"), str(ROOT / "tests")]

CLASSES, PICTURES = 1000, 200
# The chance that an image's answer changes, by what the cell's model was converted to.
CHANGES = {"onnx": 0.0, "keras": 0.002, "tflite": 0.03, "tensorflow": 0.03, "torch": 0.1}
# Of an image's answers between sources, whose weights differ.
BETWEEN = 0.25


def plant(options: argparse.Namespace) -> None:
    """Write the explorer of a made-up study; only what the page needs of it is made up."""
    from deltann.explorer import libraries, page
    from deltann.explorer.cells import Explainable

    count, images = options.size
    dataset, tables = planted(count, images)
    pictures = thumbnails(min(images, PICTURES))
    explainable = Explainable("results/planted")
    start = time.monotonic()

    def draw(name: str) -> str:
        return pictures[int(name[15:23]) % len(pictures)]

    text = page.page(dataset, tables, draw, explainable, libraries.scripts())
    options.page.write_text(text, encoding="utf-8")
    print(
        f"{count} cells, {images} images: {len(text.encode()) / 1e6:.2f} MB, "
        f"{time.monotonic() - start:.1f} s"
    )


def planted(count: int, images: int):
    """A dataset without logits and latencies, and the two tables."""
    import numpy as np
    import pandas as pd
    import study
    import xarray as xr

    from deltann.cell import NAMES, UNCONVERTED
    from deltann.dataset.cell_names import CellNames
    from deltann.study.reference import References

    rng = np.random.default_rng(0)
    cells = study.cells(count)
    named, references = CellNames(cells), References(cells)
    numbers = {cell: number for number, cell in enumerate(cells)}
    truth = study.truth(images).astype(np.int32)
    label = np.zeros((count, images, 2), np.int32)
    own: dict = {}
    ok = rng.random(count) > study.FAILED
    for number, cell in enumerate(cells):
        source = own.setdefault((cell.model, cell.source), other(truth, BETWEEN, rng))
        native = references.of_model(cell)
        chance = CHANGES[cell.target] if cell.route != UNCONVERTED else 0
        way = own.setdefault((cell.model, cell.source, cell.route), other(source, chance, rng))
        label[number, :, 0] = source if native == cell else other(way, 0.0005, rng)
    label[~ok] = -1
    best = rng.uniform(0.3, 1, (1, images, 1)).astype(np.float32)
    probability = np.concatenate([best, 0.9 * (1 - best)], axis=2).repeat(count, axis=0)
    columns = {name: ("cell", [getattr(cell, name) for cell in cells]) for name in NAMES}
    fail = ("convert", "KeyError", "no such layer")
    texts = dict(zip(("failed_stage", "error_type", "error_message"), fail, strict=True))
    columns |= {name: ("cell", np.where(ok, "", text)) for name, text in texts.items()}
    record = [study.provenance(cell) for cell in cells]
    import json

    columns |= {
        "status": ("cell", np.where(ok, "ok", "failed")),
        "cell_name": ("cell", [named.of(cell) for cell in cells]),
        "precision": ("cell", np.where(ok, "float32", "")),
        "precision_operators": ("cell", np.where(ok, "50 float32", "")),
        "precision_cause": ("cell", np.where(ok, "the model's own file", "")),
        "provenance": ("cell", [json.dumps(one) for one in record]),
        "checksum": ("cell", [one["model_file"] for one in record]),
        "inputs": ("cell", [study.INPUTS] * count),
        "inputs_digest": ("cell", ["made up"] * count),
        "passes": ("cell", [study.compiled(cell)["passes"] for cell in cells]),
        **{name: ("cell", np.ones(count)) for name in ("probe_drift", "pass_spread")},
        "contention": ("cell", np.zeros(count)),
        "disturbed": ("cell", np.zeros(count, np.int8)),
        "label": (("cell", "image", "rank"), label),
        "probability": (("cell", "image", "rank"), probability),
        "true_label": ("image", truth),
    }
    coords = {
        "cell": [str(cell) for cell in cells],
        "image": study.names(images),
        "class_name": ("class", [f"class with the name {k}" for k in range(CLASSES)]),
    }
    dataset = xr.Dataset(columns, coords=coords)
    against = [numbers.get(references.of_model(cell)) for cell in cells]
    differing = [
        np.nan if not ok[k] or at is None else (label[k, :, 0] != label[at, :, 0]).sum()
        for k, at in enumerate(against)
    ]
    ms = np.where(ok, rng.lognormal(3, 1, count), np.nan)
    frame = pd.DataFrame({"n": np.where(ok, images, np.nan), "differing": differing})
    frame["outcome"] = np.where(ok, "labels differ", "failed")
    frame["reference"] = [None if at is None else str(cells[at]) for at in against]
    frame["max_logit_difference"] = frame["n_labelled"] = frame["top1_correct"] = frame["n"]
    frame["top1_percent"], frame["disturbed"], frame["frontier"] = 80.0, 0, 0
    frame["median_ms"], frame["ms_low"], frame["ms_high"] = ms, 0.98 * ms, 1.02 * ms
    frame["agreement_percent"] = 100 - 100 * frame["differing"] / images
    frame["percent_low"], frame["percent_high"] = (
        frame["agreement_percent"] - 1,
        frame["agreement_percent"],
    )
    return dataset, {"precision": frame, "pareto": frame}


def other(label, chance: float, rng):
    """The labels with some changed."""
    changed = rng.random(label.shape) < chance
    return (label + changed * rng.integers(1, 4, label.shape)).astype(label.dtype) % CLASSES


def thumbnails(count: int) -> list[str]:
    """Thumbnails with as much detail as those of photographs, base64."""
    import study

    from deltann.explorer import thumbnails

    return [thumbnails.encode(study._photograph(number)) for number in range(count)]


def opened(options: argparse.Namespace) -> None:
    """Print how long a browser takes, from the navigation's start until the plots are drawn."""
    from helpers import browser

    seconds = []
    for _ in range(options.repeats):
        with browser.browser() as page:  # a fresh one, without a cache
            page.size(*browser.WIDE)
            page.open(options.page.resolve())
            seconds.append(page.run("performance.getEntriesByName('ready')[0].startTime") / 1000)
            assert not page.errors()
    listed = ", ".join(f"{value:.2f}" for value in seconds)
    print(f"{options.page}: {statistics.median(seconds):.2f} s (median of {listed})")


def main() -> None:
    """Read the arguments."""
    from run import size

    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    commands = parser.add_subparsers(required=True)
    making = commands.add_parser("plant", help=plant.__doc__)
    making.add_argument("--size", type=size, default=(576, 5500), help="cells x images")
    making.set_defaults(work=plant)
    opening = commands.add_parser("open", help=opened.__doc__)
    opening.add_argument("--repeats", type=int, default=5)
    opening.set_defaults(work=opened)
    for command in (making, opening):
        command.add_argument("page", type=Path, help="the page, HTML")
    options = parser.parse_args()
    options.work(options)


if __name__ == "__main__":
    main()
