"""The file of a study's dataset: what it says of itself, to xarray and to other readers of CF."""

import h5netcdf
import numpy as np
import pytest
import xarray as xr

from deltann import registry
from deltann.cell import NAMES
from deltann.dataset import aggregate, study_file
from deltann.dataset.cell_names import CellNames
from deltann.tables import compute
from deltann.tables.study import Study
from helpers.made_up_cells import (
    BROKEN,
    CLASSES,
    CONVERTED,
    NATIVE,
    SLOW,
    TOLERANCES,
    cell,
    failed,
    many,
    ran,
    study,
    write,
)

# Text, and numbers of a class, have no unit.
WITHOUT_UNIT = {"class_name", "image", "cell", *study_file.COORDINATES, *study_file.TEXTS}


@pytest.fixture
def made(tmp_path):
    """A small study, opened as a user would."""
    with many(tmp_path) as dataset:
        yield dataset


def test_every_variable_says_what_it_is(made):
    """Without decoding, so that xarray moves no attribute."""
    with xr.open_dataset(made.encoding["source"], decode_cf=False) as raw:
        assert raw.attrs["Conventions"].startswith("CF-1.")
        for name, variable in raw.variables.items():
            assert len(variable.attrs["long_name"]) > 3, name
            assert ("units" in variable.attrs) == (name not in WITHOUT_UNIT), name
        assert raw.latency.units == raw.compile_seconds.units == "s"
        assert raw.code_bytes.units == "byte" and raw.logits.units == "1"


def test_it_is_read_by_the_conventions(made):
    assert {*NAMES, "cell_name", "status", "precision"} <= set(made.latency.coords)
    assert set(made.logits.coords) - set(made.latency.coords) == {"class_name"}
    assert set(made.true_label.coords) == {"image"}
    assert not {*NAMES, "class_name", "cell_name"} & set(made.data_vars)
    assert made.label.dtype == np.int32  # a fill value would make floats of them
    assert (made.label.valid_min, made.true_label.valid_min) == (0, 0)


def test_flags_are_explained(made):
    flags = made.disturbed
    meanings = dict(zip(flags.flag_values.tolist(), flags.flag_meanings.split(), strict=True))
    assert meanings == {0: "undisturbed", 1: "disturbed"}
    assert flags.flag_values.dtype == flags.dtype and set(np.unique(flags)) <= set(meanings)


def test_cells_have_the_names_that_people_read(made):
    cells = Study(made)
    assert cells.cells.cell_name.tolist() == made.cell_name.values.tolist()
    assert made.cell_name.to_index().is_unique
    assert made.swap_dims(cell="cell_name").sel(cell_name=made.cell_name[3].item()).status == "ok"


def test_a_name_says_only_what_tells_cells_apart():
    other = cell("onnx", "O0", model="other", device="gpu")
    few, more = CellNames([NATIVE, SLOW]), CellNames([NATIVE, SLOW, other])
    assert few.of(NATIVE) == "torch, own runtime"
    assert few.of(SLOW) == "onnx by to_onnx, TVM O0"
    assert more.of(SLOW) == "m: onnx by to_onnx, TVM O0, on cpu"


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (["cat", "dog"], ["cat", "dog", *[""] * (CLASSES - 2)]),
        ([], [""] * CLASSES),
        ([f"class {k}" for k in range(CLASSES + 5)], [f"class {k}" for k in range(CLASSES)]),
    ],
)
def test_classes_have_names_or_empty_ones(tmp_path, given, expected):
    paths, output = write(tmp_path, [ran(NATIVE), failed(BROKEN)]), tmp_path / "study.nc"
    aggregate.aggregate(paths, output, TOLERANCES, "digest", given)
    with xr.open_dataset(output) as dataset:
        assert dataset.class_name.values.tolist() == expected
        looked_up = dataset.class_name.values[dataset.true_label[:2]]
        assert looked_up.tolist() == expected[:2]


def test_small_variables_are_compressed(tmp_path):
    study(tmp_path, [ran(NATIVE), ran(CONVERTED)]).close()
    with h5netcdf.File(tmp_path / "study.nc") as file:
        for name in ("label", "probability", "latency"):
            assert (file[name].compression, file[name].shuffle) == ("gzip", True), name
        assert file["logits"].compression is None


def test_machine_and_versions_are_attributes(tmp_path):
    def where(processor: str, name: str, version: str) -> dict:
        machine = {"processor": processor, "cores": 2, "system": "Linux", "threads": 2}
        environment = {"name": name, "digest": "0"}
        versions = {"versions": {name: version}, "commit": "abc"}
        return {"machine": machine, "environment": environment, "model_file": "f"} | versions

    cells = [
        ran(NATIVE, provenance=where("Xeon", "torch", "2.13")),
        ran(CONVERTED, provenance=where("EPYC", "onnx", "1.32")),
        ran(SLOW, provenance=where("Xeon", "tvm", "0.27")),
        failed(BROKEN),
    ]
    attributes = study(tmp_path, cells).attrs
    assert attributes["processor"] == "Xeon; EPYC" and attributes["cores"] == "2"
    assert attributes["versions_torch"] == "torch 2.13"
    assert attributes["versions_tvm"] == "tvm 0.27" and attributes["commit"] == "abc"


def test_the_same_cells_make_the_same_bytes(tmp_path):
    paths = write(tmp_path, [ran(NATIVE), failed(BROKEN), ran(SLOW)])
    made = [tmp_path / "a" / "study.nc", tmp_path / "b" / "study.nc"]
    for output in made:
        aggregate.aggregate(paths, output, TOLERANCES, "digest", ["cat"])
    assert made[0].read_bytes() == made[1].read_bytes()


def test_a_study_in_which_all_failed_has_a_dataset(tmp_path):
    dataset = study(tmp_path, [failed(BROKEN)])
    assert dict(dataset.sizes) == {"cell": 1, "image": 0, "class": 1, "rank": 1, "repeat": 1}
    assert dataset.status.values.tolist() == ["failed"] and "label" in dataset


def test_every_column_of_every_table_is_explained(made):
    cells = Study(made)
    explained = compute.table("columns", cells)
    assert explained.notna().all(axis=None) and (explained.meaning.str.len() > 3).all()
    assert set(explained.unit) == {
        *("", "1", "percent", "ms", "s", "byte"),
        *("1e9 s-1", "1e9 byte s-1"),
    }
    assert set(explained.table) == set(registry.tables())


def test_columns_say_their_unit(made):
    """The ends of an interval have the unit of what they are the ends of."""
    explained = compute.table("columns", Study(made)).set_index(["table", "column"]).unit
    ends = [key for key in explained.index if key[1].endswith(("_low", "_high"))]
    assert len(ends) > 40 and not {"low", "high"} & set(explained.index.get_level_values(1))
    for table, column in ends:
        quantity = column.rsplit("_", 1)[0]
        unit = explained[table, column]
        assert unit == "1" or quantity.endswith(unit), (table, column)
