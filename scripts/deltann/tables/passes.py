"""Each graph pass alone, against none and against all: the paper's tables III and IV, and on."""

from collections.abc import Iterator
from pathlib import Path

import pandas as pd

from deltann.cell import COMPILATION
from deltann.levels import PASSES
from deltann.tables import published
from deltann.tables.parts import RANGE, dissimilarity, logits, ratio
from deltann.tables.study import FAILURE, Study, groups

PUBLISHED = Path(__file__).resolve().parents[3] / "published" / "pass_ablation_tables.csv"
# The paper's passes, of TVM's Relay, in its order; today's, or None.
COUNTERPARTS = {
    "All Disabled": (),
    "OpFusion": ("FuseOps",),
    "FoldConstant": ("FoldConstant",),
    "FoldScaleAxis": ("FoldBatchnormToConv2D",),
    "AlterOpLayout": ("PackLayout",),
    # Relay's turned bias_add and the like into basic operators, of which Relax's importers emit
    # nothing else
    "CanonicalizeOps": None,
    # Relay's moved casts to bfloat16
    "CanonicalizeCast": None,
    "EliminateCommonSubexpr": ("EliminateCommonSubexpr",),
    "CombineParallelConv2D": ("CombineParallelConv2D",),
    "CombineParallelDense": ("CombineParallelMatmul",),
    "CombineParallelBatchMatmul": ("CombineParallelMatmul",),
    "FastMath": ("FastMathTransform",),
    "(not in the paper)": ("CanonicalizeBindings",),
    "All Enabled": PASSES,
}
NO_COUNTERPART, MISSING = "no counterpart", "not in this run"
COLUMNS = ["model", "source", "target", "route", "preprocessing", "resizer", *COMPILATION, "device"]
COLUMNS += ["published_pass", "passes", "published_ratio", *FAILURE, "idle", "n", "differing"]
COLUMNS += ["max_logit_difference", "max_relative_logit_difference", "ratio", "ratio_low"]
COLUMNS += ["ratio_high", "ratio_to_all", *(f"to_all_{end}" for end in RANGE), "compile_seconds"]
COLUMNS += ["disturbed"]


def rows(study: Study) -> Iterator[dict]:
    """One row per pass of the paper's and file that was compiled with none, and one or all.

    `ratio` is the time over that with no pass, `ratio_to_all` that over the time with all;
    labels and logits are compared with no pass. `idle` is 1 where the pass had nothing to do.
    """
    printed = _published()
    for held, group in groups(study.cells[study.cells.compiled], ("backend",)):
        by_passes = {frozenset(study.compilation(cell)["passes"]): cell for cell in group.index}
        singles = [passes for passes in by_passes if len(passes) == 1]
        if frozenset() not in by_passes or not singles:
            continue
        for name, passes in COUNTERPARTS.items():
            row = held | {"published_pass": name, "passes": ";".join(passes or ())}
            key = (held["model"], held["source"], name)
            row["published_ratio"] = printed.get(key)
            cell = None if passes is None else by_passes.get(frozenset(passes))
            if cell is None:
                yield row | {"status": NO_COUNTERPART if passes is None else MISSING}
            else:
                yield row | _compared(study, by_passes, cell)


def _published() -> dict[tuple[str, str, str], float]:
    """The paper's time over that with no pass, by model, source and pass; NaN where it failed."""
    table = pd.read_csv(PUBLISHED)
    disabled = table.groupby("table")["total_time"].transform("first")
    keys = zip(
        table["model"].map(published.MODELS),
        table["framework"].replace(published.FRAMEWORKS),
        table["pass"],
        strict=True,
    )
    return dict(zip(keys, table["total_time"] / disabled, strict=True))


def _compared(study: Study, by_passes: dict, cell: int) -> dict:
    """A cell beside those with no pass and with all."""
    none, every = by_passes[frozenset()], by_passes.get(frozenset(PASSES))
    found = study.compilation(cell)
    row = study.failure(cell) | {"disturbed": study.disturbed(none, cell)}
    if not study.ok(cell):
        return row
    row |= {"compile_seconds": found["seconds"]}
    if found["passes"]:
        row["idle"] = int(set(found["idle"]) == set(found["passes"]))
    row |= {name: value for name, value in ratio(study, none, cell).items() if name in COLUMNS}
    if every is not None and study.ok(every):
        to_all = ratio(study, every, cell)
        row |= {"ratio_to_all": to_all["ratio"]}
        row |= {f"to_all_{end}": to_all[f"ratio_{end}"] for end in RANGE}
    if study.ok(none):
        differing = dissimilarity(study, none, cell)
        row |= {name: differing[name] for name in ("n", "differing")} | logits(study, none, cell)
    return row


def markdown(table: pd.DataFrame) -> str:
    """The passes in the paper's layout: a table a model and device.

    Args:
        table: the rows above.
    """
    parts = [
        "# Each graph pass alone\n\nTime over that without any pass, with its 95 % interval; "
        "published: the paper's, on other hardware, by another generation of the compiler"
    ]
    for names, group in table.groupby(["model", "source", "target", "device"], sort=False):
        shown = pd.DataFrame(
            {
                "pass": group["published_pass"],
                "here": group["passes"].where(group["passes"].str.count(";") < 1, "all"),
                "published": group["published_ratio"],
                "time": [_time(row) for _, row in group.iterrows()],
                "labels changed": group["differing"],
                "logits differ by": group["max_logit_difference"],
                "compile, s": group["compile_seconds"].round(1),
            }
        )
        parts.append("## {} from {} in {} on {}".format(*names))
        parts.append(shown.to_markdown(index=False, floatfmt=".3g", missingval=""))
    return "\n\n".join(parts) + "\n"


def _time(row: pd.Series) -> str:
    if row["status"] in (NO_COUNTERPART, MISSING):
        return row["status"]
    if row["status"] != "ok":
        return f"{row['failed_stage']} failed"
    if pd.isna(row["ratio"]):
        return ""
    star = "*" if row["disturbed"] else ""
    text = f"{row['ratio']:.3f}{star} ({row['ratio_low']:.3f} to {row['ratio_high']:.3f})"
    return text + (", nothing to do" if row["idle"] == 1 else "")
