"""Each graph pass alone, against no pass and against all: the paper's tables III and IV, and more.

The paper's passes are those of TVM's Relay; the table puts each beside the pass in `levels.PASSES`
that does its work today. A pass alone may do less than among the others: without `FoldConstant`,
`FoldBatchnormToConv2D` leaves arithmetic on weights that every inference repeats.
"""

from collections.abc import Iterator
from pathlib import Path

import pandas as pd

from deltann import metrics
from deltann.cell import COMPILATION, UNCONVERTED
from deltann.dataset import compilation
from deltann.dataset.meanings import CELL
from deltann.tables import comparisons, published, variant_names
from deltann.tables.conversions import NO_REFERENCE
from deltann.tables.study import FAILURE, Columns, Study, groups
from deltann.tvm.levels import PASSES

CATEGORY = "Time"
TITLE = "Each graph pass alone"
NEEDS = "single passes"
CAPTION = (
    "Each graph pass by itself, against no pass and against all passes, beside the paper's "
    "tables III and IV and in their order: ratios of times with 95 % bootstrap intervals over "
    "n images (below 1: the pass makes the model faster), speedups by the formula of those "
    "tables, changed labels, the largest logit difference, and the seconds to compile. No "
    "counterpart: today's TVM has no such pass. Idle: the pass had nothing to do. Same code: "
    "the library is byte for byte that of no pass, so its ratio shows only how much the "
    "machine varies. The paper's devices, compiler (TVM's Relay of 2023; here Relax) and "
    "kernels differ: don't compare times."
)
MARKDOWN = True
PUBLISHED = Path(__file__).resolve().parents[3] / "published" / "pass_ablation_tables.csv"
DISABLED, ENABLED, NOT_PUBLISHED = "All Disabled", "All Enabled", "(not in the paper)"
# The paper's passes in its order: today's counterpart or None, and a remark.
COUNTERPARTS = {
    DISABLED: ((), ""),
    "OpFusion": (("FuseOps",), "with FuseTIR"),
    "FoldConstant": (("FoldConstant",), ""),
    "FoldScaleAxis": (("FoldBatchnormToConv2D",), "of batch norms only; Relay's folds any scale"),
    "AlterOpLayout": (("PackLayout",), "our own: tensors stay packed between kernels"),
    "CanonicalizeOps": (None, "split bias_add and the like; Relax has only the parts"),
    "CanonicalizeCast": (None, "moved casts of mixed precision"),
    "EliminateCommonSubexpr": (("EliminateCommonSubexpr",), ""),
    "CombineParallelConv2D": (("CombineParallelConv2D",), "our own; Relax has none"),
    "CombineParallelDense": (("CombineParallelMatmul",), "one pass in Relax for two"),
    "CombineParallelBatchMatmul": (("CombineParallelMatmul",), "one pass in Relax for two"),
    "FastMath": (("FastMathTransform",), ""),
    NOT_PUBLISHED: (("CanonicalizeBindings",), "drops bindings of one name to another"),
    ENABLED: (PASSES, ""),
}
NO_COUNTERPART, MISSING = "no counterpart", "not in this run"
FILE = ["model", "source", "target", "route", "preprocessing", "resizer", *COMPILATION, "device"]
ANSWERS: Columns = {
    name: (comparisons.DISSIMILARITY | comparisons.LOGIT_DIFFERENCES)[name]
    for name in ("differing", "differing_images", *comparisons.LOGIT_DIFFERENCES)
}
TO_ALL: Columns = {
    "ratio_to_all": ("time over that of all passes", "1"),
    **comparisons.range_columns("ratio_to_all", "1", "ratio_to_all, by bootstrap over images"),
}
SAME: Columns = {
    "same_code_ratio_low": ("least ratio of the cells with the code of no pass", "1"),
    "same_code_ratio_high": ("greatest ratio of these cells", "1"),
}
COLUMNS: Columns = {
    **{name: CELL[name] for name in FILE},
    "published_pass": ("the paper's name of the pass", ""),
    "passes": ("today's counterpart, joined by ';'", ""),
    "note": ("how the counterpart differs", ""),
    "backend": CELL["backend"],
    "published_ratio": ("the paper's time over that of no pass", "1"),
    "published_percent": ("speedup that the paper prints", "percent"),
    "published_status": ("'ok', or 'failed' in the paper", ""),
    **FAILURE,
    "idle": ("1 if the pass had nothing to do, else 0", "1"),
    "idle_passes": compilation.MEANINGS["idle_passes"],
    "same_code": ("1 if the library is byte for byte that of no pass, else 0", "1"),
    **SAME,
    **comparisons.N,
    **ANSWERS,
    "ratio": ("time over that of no pass; below 1 is faster", "1"),
    **comparisons.range_columns("ratio", "1", "the ratio, by bootstrap over images"),
    "speedup_percent": ("(1 - ratio) x 100", "percent"),
    **comparisons.range_columns("percent", "percent", "speedup_percent, by bootstrap over images"),
    **{f"{name}_to_all": (f"{text}; all passes", unit) for name, (text, unit) in ANSWERS.items()},
    **TO_ALL,
    "compile_seconds": compilation.MEANINGS["compile_seconds"],
    "kernels": compilation.MEANINGS["kernels"],
    "disturbed": ("1 if the timing of the cell or of no pass was disturbed, else 0", "1"),
}


def rows(study: Study) -> Iterator[dict]:
    """One row per published pass and model file.

    Only model files that were compiled with no pass and with at least one pass alone. Today's
    `CombineParallelMatmul` has two rows, since it does the work of two published passes.

    * `ratio` is the time relative to no pass, `ratio_to_all` relative to all passes. Likewise,
      answers are compared with those of no pass and, in the columns `..._to_all`, of all passes.
    * `speedup_percent` has the formula of the paper's tables III and IV, (1 - ratio) x 100.
    * `idle` is 1 if the pass had nothing to do.
    * `same_code` is 1 if the library is byte for byte that of no pass. `same_code_ratio_low`
      and `same_code_ratio_high` are the least and greatest ratio of the file's cells with such a
      library: the variation of the machine. They are empty if no pass is the only such cell.
    """
    printed = _published()
    for shared, group in groups(_compiled(study), ("backend",)):
        by_passes: dict[frozenset[str], int] = {}
        for cell in group.index:
            by_passes.setdefault(frozenset(study.passes(cell)), cell)
        if frozenset() not in by_passes or not any(len(passes) == 1 for passes in by_passes):
            continue
        table = list(_rows(study, shared, by_passes, printed))
        same = [row["ratio"] for row in table if row.get("same_code") == 1 and "ratio" in row]
        # the cell with no pass is always one of them
        spread = dict(zip(SAME, (min(same), max(same)), strict=True)) if len(same) > 1 else {}
        yield from (row | spread for row in table)


def _compiled(study: Study) -> pd.DataFrame:
    cells = study.real_cells()
    return cells[cells.compiled]


def _rows(study: Study, shared: dict, by_passes: dict, printed: dict) -> Iterator[dict]:
    """The rows of one model file."""
    native = shared["target"] == shared["source"] and shared["route"] == UNCONVERTED
    for name, (passes, note) in COUNTERPARTS.items():
        row = shared | {"published_pass": name, "passes": ";".join(passes or ()), "note": note}
        row |= printed.get((shared["model"], shared["source"], name), {}) if native else {}
        cell = None if passes is None else by_passes.get(frozenset(passes))
        if cell is None:
            yield row | {"status": NO_COUNTERPART if passes is None else MISSING}
        else:
            yield row | _compared(study, by_passes, cell)


def _published() -> dict[tuple[str, str, str], dict]:
    """The paper's numbers by model, source and pass; ratios are to no pass."""
    table = pd.read_csv(PUBLISHED)
    disabled = table.groupby("table")["total_time"].transform("first")
    keys = zip(
        table["model"].map(published.MODELS),
        table["framework"].replace(published.FRAMEWORKS),
        table["pass"],
        strict=True,
    )
    numbers = pd.DataFrame(
        {
            "published_ratio": table["total_time"] / disabled,
            "published_percent": table["speedup_percent_vs_basic"],
            "published_status": table["total_time"].map(
                lambda time: "ok" if time > 0 else "failed"
            ),
        }
    )
    return dict(zip(keys, numbers.to_dict("records"), strict=True))


def _compared(study: Study, by_passes: dict, cell: int) -> dict:
    """The columns that compare a cell with those of no pass and of all passes."""
    none, every = by_passes[frozenset()], by_passes.get(frozenset(PASSES))
    facts = study.cells.loc[cell]
    row: dict = study.failure(cell) | {"disturbed": study.disturbed(none, cell)}
    row |= {name: facts[name] for name in ("backend", "idle_passes", "compile_seconds")}
    row["kernels"] = comparisons.whole(facts.kernels)
    if facts.kernels > 0:  # it was compiled, even if it then failed to run
        row |= {"idle": int(facts.idle_passes == facts.passes)} if facts.passes else {}
        row |= {"same_code": int(study.model_file(cell) == study.model_file(none))}
    if not study.ok(cell):
        return row
    if not study.ok(none):
        row["status"] = NO_REFERENCE
    else:
        row |= _against(study, none, cell)
        seconds = study.seconds(none), study.seconds(cell)
        row["speedup_percent"] = metrics.speedup_percent(*seconds, measure="time")
        row |= comparisons.ends(
            metrics.speedup_interval(*seconds, comparisons.SEED, measure="time"), "percent"
        )
    if every is not None and study.ok(every):
        to_all = _against(study, every, cell)
        row |= {f"{name}_to_all": to_all[name] for name in ANSWERS}
        row |= dict(zip(TO_ALL, (to_all[name] for name in comparisons.RATIO), strict=True))
    return row


def _against(study: Study, reference: int, cell: int) -> dict:
    columns = comparisons.dissimilarity(study, reference, cell)
    columns |= comparisons.logits(study, reference, cell)
    columns |= comparisons.ratio(study, reference, cell)
    return {name: columns[name] for name in ("n", *ANSWERS, *comparisons.RATIO)}


def markdown(table: pd.DataFrame) -> str:
    """The passes in the paper's layout: one table per model file and device.

    Args:
        table: the computed table.
    """
    text = [
        "# Each graph pass alone",
        "Speedup over no pass in percent, (1 - time / time with no pass) x 100 as in the paper's "
        "tables III and IV, with its 95 % interval over images; *: the timing was disturbed. "
        "Published: the paper's number, from other hardware and an older compiler. Labels and "
        "logits are compared with those of no pass.",
    ]
    if table.empty:
        text.append(
            "Nothing to compare: this table needs backends with no pass and with one pass alone."
        )
    variants = variant_names.Variants(table)
    for names, group in variant_names.groups(table, FILE):
        variant = variants.line(group.iloc[0])
        text.append(f"## {variant_names.title(table, names)} in {variant} on {names['device']}")
        shown = pd.DataFrame([_line(row) for row in group.to_dict("records")])
        text.append(shown.to_markdown(index=False, disable_numparse=True))
        text += _spread(group.iloc[0])
    return "\n\n".join(text) + "\n"


def _spread(row: pd.Series) -> list[str]:
    if pd.isna(row["same_code_ratio_low"]):
        return []
    low, high = sorted(100 * (1 - row[name]) for name in SAME)
    return [
        "Cells whose code is byte for byte that of no pass have speedups of "
        f"{low:+.1f} to {high:+.1f}: speedups within this range may be the machine's variation."
    ]


def _line(row: dict) -> dict[str, str]:
    every = row["published_pass"] == ENABLED
    failed = row["published_status"] == "failed"
    remarks = ["**nothing to do**"] if row["idle"] is not pd.NA and row["idle"] == 1 else []
    remarks += [row["note"]] if row["note"] else []
    if every and pd.notna(row["idle_passes"]) and row["idle_passes"]:
        remarks.append(f"nothing to do: {row['idle_passes'].replace(';', ', ')}")
    return {
        "pass": row["published_pass"],
        "here": ("all" if every else row["passes"]) or "-",
        "published": "failed" if failed else _number(row["published_percent"], "{:+.2f}"),
        "speedup": _speedup(row),
        "time / all enabled's": _number(row["ratio_to_all"], "{:.2f}"),
        "labels changed": _number(row["differing"], "{}"),
        "logits differ by": _number(row["max_logit_difference"], "{:.2g}"),
        "compile, s": _number(row["compile_seconds"], "{:.1f}"),
        "kernels": _number(row["kernels"], "{}"),
        "remarks": "; ".join(remarks),
    }


def _number(value: float, form: str) -> str:
    return "" if pd.isna(value) else form.format(value)


def _speedup(row: dict) -> str:
    if row["status"] == "failed":
        return f"{row['failed_stage']} failed"
    if pd.isna(row["speedup_percent"]):
        return row["status"]
    if row["published_pass"] == DISABLED:
        return "0"
    star = "*" if row["disturbed"] else ""
    interval = f"{row['percent_low']:.1f} to {row['percent_high']:.1f}"
    return f"{row['speedup_percent']:+.1f}{star} ({interval})"
