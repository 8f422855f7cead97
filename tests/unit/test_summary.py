"""The summary of made-up studies: every sentence is true of them, and of the right factor."""

from dataclasses import replace

import numpy as np
import pytest

from deltann import summary
from deltann.cell import Cell
from deltann.dataset import predictions
from deltann.summary import advice, answers
from deltann.summary.facts import WORDS, collect
from deltann.tables import compute
from deltann.tables.study import Study
from helpers.made_up_cells import (
    CLASSES,
    CONVERTED,
    FAST,
    IMAGES,
    NATIVE,
    cell,
    compilation,
    failed,
    lowered,
    ran,
    study,
)

SAME = np.eye(IMAGES, CLASSES, dtype=np.float32)
NEAR = SAME * np.float32(1.00001)
FAR = SAME + np.float32(0.25)
OTHER = SAME.copy()
OTHER[2, 7], OTHER[4, 7] = 2, 2
DIRECT, INDIRECT = cell("torch", "O0"), cell("torch", "O0", importer="torch_onnx")
# Per factor, cells that hold it constant, and the cell in which only it varies.
VARIED: dict[str, tuple[list[Cell], Cell]] = {
    "conversion": ([NATIVE], CONVERTED),
    "import": ([NATIVE], DIRECT),
    "level": ([NATIVE, DIRECT], cell("torch", "O4")),
    "schedule": ([cell("torch", "O0", schedule="none")], DIRECT),
    "compiler": ([DIRECT], cell("torch", "O0", compiler="tvm_26")),
    "runtime": (
        [NATIVE],
        cell("torch", backend="slow", importer="none", compiler="runtime", schedule="runtime"),
    ),
    "preprocessing": ([NATIVE], cell("torch", preprocessing="target")),
    "resizer": ([NATIVE], cell("torch", resizer="opencv")),
    "device": ([NATIVE], cell("torch", device="gpu")),
    "source": ([NATIVE], cell("keras", source="keras")),
    "precision": ([NATIVE], cell("torch", route="lowered")),
}
LOWERED = {"precision": {"lowered": lowered("int8", "edge lowered")}}


def made(dataset) -> str:
    """The summary of a study dataset."""
    cells = Study(dataset)
    tables = {name: compute.table(name, cells) for name in summary.TABLES}
    return summary.summary(tables, cells, {"m": "x.jpg: not an image"}, [])[0]


def sections(text: str) -> dict[str, list[str]]:
    """The lines of each section."""
    parts = (part.partition("\n\n") for part in text.split("\n## ")[1:])
    return {title: body.strip().removeprefix("- ").split("\n- ") for title, _, body in parts}


def planted(folder, factor: str, logits: np.ndarray, **changes) -> dict[str, list[str]]:
    """The summary of a study in which only one factor varies, and changes logits to these.

    Without the sections on time and failures: their tables take most of the time.
    """
    (same, other), passes = VARIED[factor], {"O0": (), "O4": ("FuseOps",)}

    def run(where: Cell, **changes):
        compiled = {"compiled": compilation(passes[where.backend])} if where.compiled else {}
        return ran(where, **compiled, **changes)

    cells = [run(where) for where in same]
    changes |= {"logits": logits} | LOWERED.get(factor, {})
    planted = Study(study(folder, [*cells, run(other, **changes)]))
    facts = collect(compute.table("factors", planted), planted)
    todo = advice.lines(facts, planted.cells, planted.disagreements())
    return {"Answers": answers.lines(facts), "What to do": todo}


def answer(found: dict[str, list[str]], factor: str) -> str:
    """The line about a factor."""
    title = WORDS[factor].title
    return next(line for line in found["Answers"] if line.startswith(f"{title}, "))


def others(found: dict[str, list[str]], factor: str) -> list[str]:
    """The lines about other factors."""
    titles = tuple(f"{words.title}" for name, words in WORDS.items() if name != factor)
    return [line for line in found["Answers"] if line.startswith(titles)]


@pytest.mark.parametrize("factor", VARIED)
def test_a_factor_that_changes_labels_is_named_and_no_other(factor, tmp_path):
    found = planted(tmp_path, factor, OTHER)
    line = answer(found, factor)
    assert "1 of 1 pair changed labels, on 2 images in all" in line
    assert "by at most 2, and by at most 200 % of an image's largest logit, both in" in line
    assert "turned wrong or right in 1 pair" in line and "2 wrong, 0 right, of 6 images" in line
    shares = [text for text in found["Answers"] if text.endswith("%): 2.jpg, 4.jpg")]
    assert len(shares) == 1 and shares[0].startswith(WORDS[factor].title)
    for other in others(found, factor):
        assert "0 of 1 pair changed labels" in other and "All logits are equal" in other
    assert WORDS[factor].title.lower() not in found["Answers"][-1].lower()
    bad = [line for line in found["What to do"] if line.startswith("Don't ")]
    if WORDS[factor].verb:
        assert len(bad) == 1 and bad[0].startswith(f"Don't {WORDS[factor].verb}")
        assert "labels of 2 of 6 images; 2 answers turned wrong, 0 right; logits by up to" in bad[0]
    else:
        assert not bad
    assert "Look at the 2 images on which cells disagree, in explorer.html" in found["What to do"]


@pytest.mark.parametrize("logits", [OTHER, FAR])
@pytest.mark.parametrize("again", [None, SAME, FAR])
def test_a_route_that_changed_answers_is_to_be_repaired_once(logits, again, tmp_path):
    """Not if the study has its repaired file, whatever that came to."""
    later = replace(CONVERTED, route=f"{CONVERTED.route}+repaired")
    cells = [ran(NATIVE), ran(CONVERTED, logits=logits)]
    cells += [] if again is None else [ran(later, logits=again)]
    made = Study(study(tmp_path, cells))
    todo = advice.lines(collect(compute.table("factors", made), made), made.cells, 0)
    found = [line for line in todo if "to repair" in line]
    assert [f"by {CONVERTED.route}: add" in line for line in found] == [True] * (again is None)


@pytest.mark.parametrize("factor", VARIED)
def test_a_factor_that_changes_nothing_is_said_to_be_safe(factor, tmp_path):
    found = planted(tmp_path, factor, SAME)
    line = answer(found, factor)
    assert "0 of 1 pair changed labels (0 of 6 images each; 95 % interval 0 to 39.0 %)" in line
    assert "All logits are equal. No answer turned wrong or right" in line
    todo = "\n".join(found["What to do"])
    assert f"Safe to {WORDS[factor].verb}" in todo or not WORDS[factor].verb
    assert not any(word in todo for word in ("Take care", "Don't", "Look at", "Try to repair"))


@pytest.mark.parametrize("factor", VARIED)
def test_a_factor_that_changes_logits_only_is_not_called_safe(factor, tmp_path):
    found = planted(tmp_path, factor, FAR)
    line = answer(found, factor)
    assert "0 of 1 pair changed labels" in line and "No answer turned wrong or right" in line
    assert "by at most 0.25, and by at most 25 % of an image's largest logit" in line
    if verb := WORDS[factor].verb:
        (care,) = [
            line for line in found["What to do"] if line.startswith(f"Take care if you {verb}")
        ]
        assert "(logits by up to 25 % of an image's largest)" in care
    same = [line for line in found["What to do"] if line.startswith("Safe to")]
    assert all(not line.startswith(f"Safe to {WORDS[factor].verb} ") for line in same) or (
        factor == "level"
    )


def test_rounding_is_safe(tmp_path):
    found = planted(tmp_path, "conversion", NEAR)
    line = answer(found, "conversion")
    assert "Safe to convert: onnx by to_onnx" in found["What to do"]
    assert "differ only by rounding: by at most 1e-05, and by at most 0.001 % of an image's" in line


def test_what_does_not_vary_is_said_not_to_vary(tmp_path):
    found = planted(tmp_path, "conversion", SAME)
    assert found["Answers"][-1] == (
        "Doesn't vary in this study: precision, import into TVM, passes of TVM, schedule, version "
        "of TVM, settings of runtimes, preprocessing, resizing, device, Frameworks' own models"
    )


def test_the_importer_is_blamed_for_what_it_changes_and_not_the_level(tmp_path):
    low, high = compilation(()), compilation(("FuseOps",))
    cells = [
        ran(NATIVE),
        ran(DIRECT, compiled=low),
        ran(cell("torch", "O4"), compiled=high),
        ran(INDIRECT, compiled=low, logits=OTHER),
        ran(cell("torch", "O4", importer="torch_onnx"), compiled=high, logits=OTHER),
    ]
    found = sections(made(study(tmp_path, cells)))
    assert "1 of 2 pairs changed labels" in answer(found, "import")
    assert "0 of 2 pairs changed labels" in answer(found, "level")
    todo = found["What to do"]
    assert "Safe to compile at: O4" in todo
    assert "Safe to import: torch, import direct" in todo
    assert any(
        line.startswith("Don't import (labels changed): torch, import torch_onnx (")
        for line in todo
    )


def test_routes_are_counted_once_for_all_resizers(tmp_path):
    cells = [
        ran(cell(target, resizer=resizer), logits=logits)
        for target, logits in (("torch", SAME), ("onnx", FAR), ("keras", OTHER))
        for resizer in ("pillow", "opencv", "torchvision")
    ]
    found = sections(made(study(tmp_path, cells)))
    assert answer(found, "conversion").startswith("Conversion, 2 routes: 3 of 6 pairs changed")
    assert "0 of 6 pairs changed labels" in answer(found, "resizer")
    todo = "\n".join(found["What to do"])
    assert "Take care if you convert (" in todo and "onnx by to_onnx (logits by" in todo
    assert "Don't convert (labels changed): keras by to_keras (" in todo
    assert "Safe to convert" not in todo


def test_absolute_and_relative_maxima_are_each_named(tmp_path):
    large = SAME * np.float32(100)
    cells = [
        ran(NATIVE, logits=large),
        ran(CONVERTED, logits=large + np.float32(3)),
        ran(cell("torch", source="torch", model="n")),
        ran(cell("onnx", model="n"), logits=SAME + np.float32(0.5)),
    ]
    line = answer(sections(made(study(tmp_path, cells))), "conversion")
    assert "by at most 3, in m: onnx by to_onnx, and by at most 50 % of" in line
    assert "largest logit, in n: onnx by to_onnx" in line


def test_every_model_has_its_fastest_line(tmp_path):
    cells = [ran(cell("torch", model=f"m{number}")) for number in range(7)]
    text = made(
        study(tmp_path, [*cells, failed(cell("torch", model="x")), ran(cell("onnx", model="x"))])
    )
    for number in range(7):
        assert f"on every image: m{number}: torch, own runtime, 10 ms" in text
    assert "unknown for x, as no native cell of it ran" in text


def test_a_name_with_a_semicolon_is_one_image(tmp_path):
    names = np.array(["a;b.jpg", *(f"{k}.jpg" for k in range(1, IMAGES))])
    logits = SAME.copy()
    logits[0, 5] = 3
    cells = [ran(NATIVE, image=names), ran(CONVERTED, image=names, logits=logits)]
    found = sections(made(study(tmp_path, cells)))
    assert "on 1 image in all" in answer(found, "conversion")
    assert any(line.endswith("%): a;b.jpg") for line in found["Answers"])


def broke(where: Cell, stage: str, message: str, file: str = "", type_: str = "ValueError"):
    """A cell that failed at a stage with a message, making a file."""
    error = {"type": type_, "message": message, "traceback": "", "file": file}
    return predictions.failed(where, {"failed_stage": stage, "error": error}, "", "", {})


def test_each_cause_has_its_line_with_its_own_cells(tmp_path):
    wrapped = "Exception encountered when calling Foo.call().\n\n\x1b[1mbad shape {}\x1b[0m\n\n"
    cells = [
        ran(NATIVE),
        broke(cell("keras"), "convert", wrapped.format(3), "to_keras.keras"),
        broke(cell("keras", "O0"), "convert", wrapped.format(3), "to_keras.keras"),
        broke(cell("tflite"), "convert", wrapped.format(4), "to_tflite.tflite"),
        ran(CONVERTED),
        broke(cell("onnx", "O0", importer="again"), "convert", "no op", "to_onnx+again.onnx"),
        broke(cell("onnx", "O4"), "compile", "Traceback:\n  tvm.Err\nTVMError: no op\n"),
    ]
    found = sections(made(study(tmp_path, cells)))
    assert found["Failures"] == [
        "convert by to_keras, ValueError, 2 cells: keras by to_keras (2): bad shape 3",
        "convert by to_tflite, ValueError, 1 cell: tflite by to_tflite (1): bad shape 4",
        "convert by importer again, ValueError, 1 cell: onnx by to_onnx, import again (1): no op",
        "compile, ValueError, 1 cell: onnx by to_onnx (1): TVMError: no op",
    ]
    todo = "\n".join(found["What to do"])
    assert "Safe to convert: onnx by to_onnx" in todo
    assert "import again (1 of 1 cell failed: convert, ValueError)" in todo
    assert "to_keras, import" not in todo


def test_summary_says_what_failed_and_what_changed(sample):
    text = made(sample)
    assert "5 cells: 4 ran, 1 failed" in text
    assert "convert, KeyError, 1 cell: keras by to_keras (1): no such layer" in text
    assert "x.jpg: not an image" in text
    changed = "1 of 6 images, 16.7 % (95 % interval 3.0 to 56.4 %): 2.jpg"
    assert f"Conversion: onnx by to_onnx: {changed}" in text
    assert (
        "Conversion, 2 routes: 1 of 1 pair changed labels, on 1 image in all; 1 cell failed" in text
    )
    todo = text.split("## What to do")[1].split("## ")[0]
    assert "Don't convert (labels changed): onnx by to_onnx" in todo
    assert "keras by to_keras (1 of 1 cell failed: convert, KeyError)" in todo
    assert "to rule out 1 %, take 381" in todo
    assert "O2 is 2.00 times as fast as O0" in text
    assert "onnx by to_onnx, TVM O2" in text.split("## Caveats")[1]
    assert str(FAST) not in text


def test_summary_says_which_outputs_are_not_what_is_declared(tmp_path):
    text = made(study(tmp_path, [ran(NATIVE, output_warning="odd"), ran(CONVERTED)]))
    assert "- m of torch: odd" in text.split("## Caveats")[1]


def test_summary_of_a_study_without_comparisons(tmp_path):
    assert made(study(tmp_path, [failed(NATIVE)])).count("nothing to compare") == 3
