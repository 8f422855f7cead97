"""The paper's optimization tables beside this run: the same levels of the same native models."""

from collections.abc import Iterator
from pathlib import Path

import pandas as pd

from deltann.cell import COMPILATION
from deltann.tables import speedups
from deltann.tables.comparisons import N
from deltann.tables.study import FAILURE, Columns, Study

CATEGORY = "Published"
TITLE = "The paper's speedups beside this run's"
NEEDS = "published levels"
CAPTION = (
    "Tables I, II and V to XI of the paper's appendix beside the same levels of the same "
    "frameworks' unconverted models in this run, with 95 % bootstrap intervals over n images, "
    "and the difference in percentage points. Empty where this run lacks the cell. The "
    "paper's devices, compiler (TVM's Relay of 2023; here Relax) and images (about 5,500) "
    "differ: compare signs and orders of magnitude, not numbers."
)
PUBLISHED = Path(__file__).resolve().parents[3] / "published" / "optimization_tables.csv"
MODELS = {"MobileNetV2": "mobilenet_v2", "ResNet101": "resnet101", "InceptionV3": "inception_v3"}
FRAMEWORKS = {"pytorch": "torch"}
LEVELS = {"basic": "O0", "default": "O2", "extended": "O4"}
DEVICES = {
    "server": "desktop-class NVIDIA GPU",
    "xavier": "NVIDIA AGX Xavier",
    "hikey": "HiKey 970, Mali-G72, OpenCL",
    "intel": "laptop's integrated GPU, OpenCL",
}
IMAGES = "about 5,500 images of ILSVRC 2017's test set"
KEYS = ["model", "source", "baseline", "candidate"]
PUBLISHED_COLUMNS: Columns = {
    "table": ("number of the paper's table", ""),
    **{
        f"published_{name}": (f"{name} as the paper prints it", "")
        for name in ("model", "framework", "baseline", "candidate", "device")
    },
    "published_percent": ("speedup that the paper prints", "percent"),
}
COLUMNS: Columns = {
    **PUBLISHED_COLUMNS,
    **{name: speedups.COLUMNS[name] for name in (*KEYS, "device", *COMPILATION)},
    **speedups.SPEEDUP,
    **N,
    "difference": ("speedup_percent minus published_percent", "percent"),
    **FAILURE,
    "disturbed": speedups.COLUMNS["disturbed"],
    "not_comparable": ("what differs between the paper's measurement and this one", ""),
}


def rows(study: Study) -> Iterator[dict]:
    """One row per published number and device of this run; empty if this run lacks the cell.

    `difference` is this run's percentage minus the published one.
    """
    measured = _measured(study)
    for item in pd.read_csv(PUBLISHED).itertuples():
        names = {
            "model": MODELS[item.model],
            "source": FRAMEWORKS.get(item.framework, item.framework),
            "baseline": LEVELS[item.baseline],
            "candidate": LEVELS[item.candidate],
        }
        published = {
            "table": item.table,
            "published_model": item.model,
            "published_framework": item.framework,
            "published_baseline": item.baseline,
            "published_candidate": item.candidate,
            "published_device": item.device,
            "published_percent": item.speedup_percent,
        }
        for row in measured.get(tuple(names.values()), [{"status": "not in this run"}]):
            yield published | names | row | _difference(item.device, item.speedup_percent, row)


def _measured(study: Study) -> dict[tuple[str, ...], list[dict]]:
    """This run's speedups of unconverted models, by the names that the paper also has."""
    measured: dict[tuple[str, ...], list[dict]] = {}
    cells = study.unconverted(study.real_cells())
    cells = cells[cells.compiled]
    for name in ("resizer", "compiler", "schedule"):
        cells = cells[cells[name] == cells[name].iloc[0]] if len(cells) else cells
    for row in speedups.among(study, cells):
        measured.setdefault(tuple(row[key] for key in KEYS), []).append(row)
    return measured


def _difference(device: str, percent: float, row: dict) -> dict:
    if "speedup_percent" not in row:
        return {}
    return {
        "difference": row["speedup_percent"] - percent,
        "not_comparable": f"other devices ({DEVICES[device]}; here {row['device']}); another "
        f"compiler generation (TVM's Relay of 2023; here Relax); other images ({IMAGES}; here "
        f"{row['n']})",
    }
