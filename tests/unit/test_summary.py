"""The summary of made-up studies."""

from deltann import registry, summary
from deltann.tables import compute
from deltann.tables.study import Study
from helpers.made_up_cells import (
    FAST,
    NATIVE,
    failed,
    study,
)


def test_summary_says_what_failed_and_what_changed(sample):
    cells = Study(sample)
    made = {name: compute.table(name, cells) for name in registry.tables()}
    text = summary.summary(made, cells.cells, {"m": "x.jpg: not an image"}, [])
    assert "5 cells: 4 ran, 1 failed" in text
    assert "convert, KeyError, 1 cell: m from torch to keras by to_keras (1): no such layer" in text
    assert "x.jpg: not an image" in text
    changed = "1 of 6 images, 16.7 % (95 % interval 3.0 to 56.4 %): 2.jpg"
    assert f"Conversion: m from torch to onnx by to_onnx: {changed}" in text
    assert "Conversion: 1 of 2 routes change labels, 1 failed" in text
    todo = text.split("## What to do")[1].split("## ")[0]
    assert "m from torch to onnx by to_onnx (labels differ)" in todo
    assert "m from torch to keras by to_keras (failed)" in todo
    assert "to rule out 1 %, take 381" in todo
    assert "Look at the 1 image on which cells disagree" in todo
    assert "O2 is 2.00 times as fast as O0" in text
    assert str(FAST) in text.split("## Caveats")[1]


def test_summary_of_a_study_without_comparisons(tmp_path):
    cells = Study(study(tmp_path, [failed(NATIVE)]))
    made = {name: compute.table(name, cells) for name in registry.tables()}
    assert summary.summary(made, cells.cells, {}, []).count("nothing to compare") == 3
