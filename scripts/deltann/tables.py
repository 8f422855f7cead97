"""The study's tables: every comparison of cells, each number with its interval and image count.

All metrics are those of `deltann.metrics`; percentages run from 0 to 100, intervals are of 95 %.
A failed cell has its row too, with status, stage and error, and empty numbers.
"""

from collections.abc import Callable, Iterator
from functools import lru_cache
from itertools import combinations

import numpy as np
import pandas as pd
import xarray as xr

from deltann import metrics
from deltann.aggregate import MISSING_LABEL
from deltann.cell import NAMES

NATIVE = "native"
# The lowest level: what the others' times are relative to.
BASE = "O0"
TOP = 5
# Intervals are the same in every run.
SEED = 0
FAILURE = ("status", "failed_stage", "error_type")


class Study:
    """The cells of a study dataset, each one's arrays read when asked for.

    Attributes:
        cells: one row per cell, in the dataset's order: the five names, status, failed_stage,
            error_type, error_message, probe_drift and drifted.
    """

    def __init__(self, dataset: xr.Dataset) -> None:
        columns = (*NAMES, *FAILURE, "error_message", "probe_drift", "drifted")
        self.cells = pd.DataFrame({name: dataset[name].values for name in columns})
        self._dataset = dataset
        self._places: dict[tuple[str, ...], int] = {}
        for cell, names in enumerate(zip(*(self.cells[name] for name in NAMES), strict=True)):
            self._places.setdefault(names, cell)
            self._places.setdefault(names[:-1], cell)
        # a comparison goes back to its reference again and again
        self.array = lru_cache(maxsize=8)(self._array)

    def _array(self, name: str, cell: int) -> np.ndarray:
        """A cell's variable over the images it answered, without the padding of other models."""
        answered = self._dataset["label"][cell, :, 0].values != MISSING_LABEL
        values = self._dataset[name][cell].values[answered]
        padding = np.isnan(values[0]) if values.dtype.kind == "f" else values[0] == MISSING_LABEL
        return values[:, ~padding]

    def images(self, cell: int) -> np.ndarray:
        """Names of the images that a cell answered."""
        return self._dataset["image"].values[self._dataset["label"][cell, :, 0] != MISSING_LABEL]

    def truth(self, cell: int) -> np.ndarray:
        """True labels of the images that a cell answered, int64, -1 where unknown."""
        truth = self._dataset["true_label"]
        truth = truth[cell] if "cell" in truth.dims else truth
        return truth.values[self._dataset["label"][cell, :, 0] != MISSING_LABEL]

    def ok(self, cell: int) -> bool:
        """Whether a cell has answers."""
        return self.cells.status[cell] == "ok"

    def names(self, cell: int) -> dict[str, str]:
        """The five names of a cell."""
        return dict(self.cells.loc[cell, list(NAMES)])

    def failure(self, *cells: int) -> dict[str, str]:
        """Status, stage and error type of the first of these cells that failed."""
        failed = [cell for cell in cells if not self.ok(cell)]
        return dict(self.cells.loc[(failed or cells)[0], list(FAILURE)])

    def find(self, *names: str) -> int | None:
        """The cell with these five names, or the first with these four, on any device."""
        return self._places.get(names)


def _interval(interval: metrics.Interval, scale: float = 1.0) -> dict[str, float]:
    return {"low": scale * interval.low, "high": scale * interval.high}


def accuracy(study: Study) -> Iterator[dict]:
    """Per cell, top-1 and top-5 accuracy in percent of the images with a true label."""
    for cell in study.cells.index:
        row = study.names(cell) | study.failure(cell)
        if study.ok(cell):
            ranked, truth = study.array("label", cell), study.truth(cell)
            for name, k in (("top1", 1), ("top5", min(TOP, ranked.shape[1]))):
                found = metrics.top_k_accuracy(ranked, truth, k)
                row |= {"n": found.n, f"{name}_correct": found.correct}
                row |= {f"{name}_percent": found.percent}
                if found.n:
                    ends = metrics.wilson_interval(found.correct, found.n)
                    row |= {f"{name}_low": ends.low, f"{name}_high": ends.high}
        yield row


def _dissimilarity(study: Study, a: int, b: int) -> dict:
    """Top-1 label dissimilarity of two cells in percent, and the images behind it."""
    top_a, top_b = study.array("label", a)[:, 0], study.array("label", b)[:, 0]
    differs = metrics.top1_differs(top_a, top_b)
    return {
        "n": differs.size,
        "differing": int(differs.sum()),
        "dissimilarity_percent": metrics.top1_dissimilarity(top_a, top_b),
        **_interval(metrics.wilson_interval(int(differs.sum()), differs.size)),
        "differing_images": ";".join(study.images(a)[differs]),
    }


def targets(study: Study) -> Iterator[dict]:
    """Label dissimilarity of every two targets' native cells of one model, source and device."""
    native = study.cells[study.cells.backend == NATIVE]
    for (model, source, device), group in native.groupby(["model", "source", "device"], sort=False):
        for a, b in combinations(group.index, 2):
            row = {"model": model, "source": source, "device": device}
            row |= {"target_a": group.target[a], "target_b": group.target[b]}
            row |= study.failure(a, b)
            failed = [group.target[cell] for cell in (a, b) if not study.ok(cell)]
            row |= {"failed_target": ";".join(failed)}
            if not failed:
                row |= _dissimilarity(study, a, b)
            yield row


def conversions(study: Study) -> Iterator[dict]:
    """Every cell against the native cell of its model and source.

    A cell whose native cell failed or isn't in the study has the status `no_reference`.
    """
    for cell in study.cells.index:
        names = study.names(cell)
        native = (names["model"], names["source"], names["source"], NATIVE)
        reference = study.find(*native, names["device"])
        if reference is None:  # the frameworks' own runtimes may run on one device only
            reference = study.find(*native)
        if reference == cell:
            continue
        row = names | study.failure(cell)
        if study.ok(cell):
            if reference is None or not study.ok(reference):
                row |= {"status": "no_reference"}
            else:
                row |= _against(study, reference, cell)
        yield row


def _against(study: Study, reference: int, cell: int) -> dict:
    ranked = study.array("label", reference), study.array("label", cell)
    difference = metrics.logit_difference(
        study.array("logits", reference), study.array("logits", cell)
    )
    row = _dissimilarity(study, reference, cell) | {
        "mean_jaccard": metrics.top_k_jaccard(*ranked).mean(),
        "mean_kendall_tau_b": metrics.kendall_tau_b(*ranked).mean(),
        "mean_rbo": metrics.rank_biased_overlap(*ranked).mean(),
        "max_logit_difference": difference.absolute.max(),
        "max_relative_logit_difference": difference.relative.max(),
    }
    truth = study.truth(cell)
    if (truth != metrics.UNKNOWN_LABEL).any():
        change = metrics.accuracy_change(ranked[0][:, 0], ranked[1][:, 0], truth)
        row |= {
            "n_labelled": change.n,
            "correct_to_wrong": change.correct_to_wrong,
            "wrong_to_correct": change.wrong_to_correct,
            "mcnemar_p": change.p_value,
        }
    return row


def latency(study: Study) -> Iterator[dict]:
    """Per cell, the typical image's milliseconds, and the time relative to its own O0 cell."""
    for cell in study.cells.index:
        row = study.names(cell) | study.failure(cell)
        row |= {"drifted": study.cells.drifted[cell], "probe_drift": study.cells.probe_drift[cell]}
        if study.ok(cell):
            seconds = study.array("latency", cell)
            ends = _interval(metrics.median_latency_interval(seconds, SEED), 1000)
            row |= {"n": len(seconds), "median_ms": 1000 * metrics.median_latency(seconds)}
            row |= ends | _ratio_to_base(study, cell, seconds)
        yield row


def _ratio_to_base(study: Study, cell: int, seconds: np.ndarray) -> dict:
    base = study.find(*(study.names(cell) | {"backend": BASE}).values())
    if base is None or not study.ok(base):
        return {}
    seconds = study.array("latency", base), seconds
    ends = metrics.latency_ratio_interval(*seconds, SEED)
    return {
        "ratio": metrics.latency_ratio(*seconds),
        "ratio_low": ends.low,
        "ratio_high": ends.high,
        "base_drifted": study.cells.drifted[base],
    }


def speedups(study: Study) -> Iterator[dict]:
    """Speedup in percent of each level over each lower one, in the layout of the paper's appendix.

    As there, the number is empty where the configuration did not run.
    """
    compiled = study.cells[study.cells.backend != NATIVE]
    groups = compiled.groupby(["model", "source", "target", "device"], sort=False)
    for (model, source, target, device), group in groups:
        for baseline, candidate in combinations(group.sort_values("backend").index, 2):
            row = {"model": model, "source": source}
            row |= {"baseline": group.backend[baseline], "candidate": group.backend[candidate]}
            row |= {"framework": target, "device": device} | study.failure(baseline, candidate)
            row["drifted"] = group.drifted[[baseline, candidate]].max()
            if study.ok(baseline) and study.ok(candidate):
                seconds = study.array("latency", baseline), study.array("latency", candidate)
                row["speedup_percent"] = metrics.speedup_percent(*seconds)
                row |= _interval(metrics.speedup_interval(*seconds, SEED)) | {"n": len(seconds[0])}
            yield row


RANGE = ["low", "high"]
COLUMNS = {
    "accuracy": [*NAMES, *FAILURE, "n"]
    + [f"{top}_{what}" for top in ("top1", "top5") for what in ("correct", "percent", *RANGE)],
    "targets": ["model", "source", "device", "target_a", "target_b", *FAILURE, "failed_target"]
    + ["n", "differing", "dissimilarity_percent", *RANGE, "differing_images"],
    "conversions": [*NAMES, *FAILURE, "n", "differing", "dissimilarity_percent", *RANGE]
    + ["differing_images", "mean_jaccard", "mean_kendall_tau_b", "mean_rbo"]
    + ["max_logit_difference", "max_relative_logit_difference"]
    + ["n_labelled", "correct_to_wrong", "wrong_to_correct", "mcnemar_p"],
    "latency": [*NAMES, *FAILURE, "n", "median_ms", *RANGE]
    + ["ratio", "ratio_low", "ratio_high", "drifted", "base_drifted", "probe_drift"],
    "speedups": ["model", "source", "baseline", "candidate", "framework", "device"]
    + ["speedup_percent", *RANGE, "n", *FAILURE, "drifted"],
}
COUNTS = ("n", "n_labelled", "differing", "drifted", "base_drifted", "correct_to_wrong")
COUNTS += ("wrong_to_correct", "top1_correct", "top5_correct")
MAKERS: dict[str, Callable[[Study], Iterator[dict]]] = {
    "accuracy": accuracy,
    "targets": targets,
    "conversions": conversions,
    "latency": latency,
    "speedups": speedups,
}


def table(name: str, study: Study) -> pd.DataFrame:
    """One table, with the same columns whatever the study holds.

    Args:
        name: a key of `MAKERS`.
        study: the cells.
    """
    rows = pd.DataFrame(MAKERS[name](study), columns=COLUMNS[name])
    return rows.astype({column: "Int64" for column in COUNTS if column in rows})


def speedups_markdown(rows: pd.DataFrame) -> str:
    """The speedups as markdown, in the appendix's layout: frameworks by devices, a table a pair.

    Args:
        rows: the table `speedups`.
    """
    parts = ["# Speedup in percent, with its 95 % interval; *: the machine's speed drifted"]
    groups = rows.groupby(["model", "source", "baseline", "candidate"], sort=False)
    for (model, source, baseline, candidate), group in groups:
        texts = group.assign(text=group.apply(_speedup_text, axis=1))
        layout = texts.pivot(index="framework", columns="device", values="text")
        layout = layout.reindex(group["framework"].unique())[group["device"].unique()]
        parts.append(f"## {model} from {source}: {baseline} to {candidate}")
        parts.append(layout.to_markdown())
    return "\n\n".join(parts) + "\n"


def _speedup_text(row: pd.Series) -> str:
    if row["status"] != "ok":
        return f"{row['failed_stage']} failed"
    star = "*" if row["drifted"] else ""
    return f"{row['speedup_percent']:+.1f}{star} ({row['low']:.1f} to {row['high']:.1f})"
