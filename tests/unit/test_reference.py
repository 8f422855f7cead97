"""Which native cell a cell is compared with."""

from dataclasses import replace

import pytest

from deltann.cell import Cell
from deltann.study.reference import References

NATIVE = Cell(
    model="lite0",
    source="torch",
    target="torch",
    route="unconverted",
    preprocessing="source",
    resizer="pillow",
    importer="none",
    compiler="runtime",
    schedule="runtime",
    backend="native",
    device="cpu",
)
CONVERTED = replace(NATIVE, target="onnx", route="torch_onnx")
COMPILED = replace(
    CONVERTED, importer="direct", compiler="tvm", schedule="rules", backend="O2", device="server"
)


def test_native_cell_is_its_own_reference():
    references = References([NATIVE])
    assert references.of_model(NATIVE) is references.of_file(NATIVE) is NATIVE


def test_compiled_cell_has_the_native_cells_of_its_model_and_of_its_file():
    references = References([COMPILED, CONVERTED, NATIVE])
    assert references.of_model(COMPILED) == NATIVE
    assert references.of_file(COMPILED) == CONVERTED


@pytest.mark.parametrize(
    ("natives", "expected"),
    [
        ([("cpu", "pillow"), ("server", "pillow")], ("server", "pillow")),  # the cell's device
        ([("cpu", "pillow"), ("laptop", "pillow")], ("cpu", "pillow")),  # the first device
        ([("server", "pillow"), ("cpu", "opencv")], ("cpu", "opencv")),  # the resizer comes first
        ([("server", "torchvision"), ("cpu", "pillow")], ("cpu", "pillow")),  # the default one
        ([("server", "torchvision")], None),
    ],
)
def test_reference_of_the_model_by_resizer_and_device(natives, expected):
    cells = [replace(NATIVE, device=device, resizer=resizer) for device, resizer in natives]
    found = References(cells).of_model(replace(COMPILED, resizer="opencv"))
    assert (found and (found.device, found.resizer)) == expected


def test_file_of_other_images_is_no_reference():
    references = References([replace(CONVERTED, preprocessing="target"), NATIVE])
    assert references.of_file(COMPILED) is None
