"""Cells of an emulated device: their answers count, and no table, figure or sentence has a time."""

import numpy as np
import pytest
import xarray as xr
import yaml
from matplotlib.text import Text

from deltann import emulator, summary
from deltann.figures import latency, pareto, style
from deltann.tables import compute
from deltann.tables.study import Study
from helpers.made_up_cells import IMAGES, NATIVE, cell, ran, study, untimed
from helpers.workspace import ROOT

LEVELS = ("O0", "O4")
HERE = [ran(NATIVE), *(ran(cell("torch", level)) for level in LEVELS)]
ARM = [untimed(cell("torch", level, device="arm")) for level in LEVELS]


def caveats(dataset: xr.Dataset) -> list[str]:
    """The lines of the summary's last section; the whole summary names no milliseconds of arm."""
    cells = Study(dataset)
    tables = {name: compute.table(name, cells) for name in summary.TABLES}
    text, _ = summary.summary(tables, cells, {}, [])
    assert not [line for line in text.splitlines() if "ms an image" in line and "arm" in line]
    return text.split("## Caveats")[1].strip().splitlines()


def test_the_summary_has_one_sentence(tmp_path):
    assert caveats(study(tmp_path, HERE + ARM)) == [
        "- 2 cells on an emulated device (arm): times there mean nothing, so none was taken, and "
        "no table of time has them"
    ]


def test_a_study_of_emulated_cells_alone_has_a_summary(tmp_path):
    assert "- 1 cell on an emulated device (arm)" in caveats(study(tmp_path, ARM[:1]))[0]


def test_the_dataset_says_which_cells_have_no_times(tmp_path):
    dataset = study(tmp_path, HERE + ARM)
    assert dataset.emulated.values.tolist() == [0, 0, 0, 1, 1]
    assert (
        np.isnan(dataset.latency).all(("image", "repeat")).values.tolist()
        == [False] * 3 + [True] * 2
    )


def test_tables_of_time_leave_them_out(tmp_path):
    planted = Study(study(tmp_path, HERE + ARM))
    for name in ("latency", "devices", "frameworks", "speedups", "anova"):
        assert set(compute.table(name, planted)["device"]) == {"cpu"}, name


def test_tables_of_answers_have_them(tmp_path):
    planted = Study(study(tmp_path, HERE + ARM))
    kept = compute.table("precision", planted).set_index("device").loc["arm"]
    assert kept.outcome.tolist() == ["identical"] * 2 and kept.n.tolist() == [IMAGES] * 2
    assert kept.median_ms.isna().all()
    shown = compute.table("pareto", planted).set_index("device").loc["arm"]
    assert shown.agreement_percent.tolist() == [100.0] * 2 and shown.frontier.isna().all()


@pytest.mark.parametrize("figure", [latency, pareto])
def test_figures_of_time_say_how_many_they_leave_out(figure, tmp_path):
    style.use()
    table = compute.table("pareto", Study(study(tmp_path, HERE + ARM)))
    (page,) = figure.draw(table)
    texts = [" ".join(text.get_text().split()) for text in page.findobj(Text)]
    assert any("2 cells on an emulated device, where times mean nothing." in text for text in texts)
    assert not any("arm" in text for text in texts)


@pytest.mark.parametrize("figure", [latency, pareto])
def test_figures_of_emulated_cells_alone_say_that_there_is_nothing(figure, tmp_path):
    style.use()
    table = compute.table("pareto", Study(study(tmp_path, ARM)))
    (page,) = figure.draw(table)
    assert any(text.get_text() for text in page.findobj(Text))


def test_the_config_has_the_device_that_the_server_prints():
    config = yaml.safe_load((ROOT / "config/aarch64.yaml").read_text())
    target = config["devices"]["aarch64"]["target"]
    printed = yaml.safe_load(emulator.device(9090, "lab", target["mcpu"]))
    assert printed == {"aarch64": config["devices"]["aarch64"]}
