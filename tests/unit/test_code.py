"""The digest of a rule's code: what changes it, and what doesn't."""

import shutil
from pathlib import Path

import pytest

from deltann.workflow import code_digest

SCRIPTS = Path(code_digest.__file__).resolve().parents[2]
CONVERTER = "deltann.converters.tf2onnx"


@pytest.fixture
def scripts(tmp_path, monkeypatch):
    """A copy of the repository's scripts that a test may edit."""
    copy = tmp_path / "scripts"
    shutil.copytree(SCRIPTS, copy, ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.setattr(code_digest, "SCRIPTS", copy)
    forget()
    yield copy
    forget()


def forget() -> None:
    """Read every file anew, as the next Snakemake process does."""
    code_digest._parse.cache_clear()
    code_digest.code_digest.cache_clear()


def digest(script="scripts/convert.py", *modules) -> str:
    forget()
    return code_digest.code_digest(script, *(modules or (CONVERTER,)))


def replace(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert text.count(old) == 1, f"{path} has {old!r} {text.count(old)} times"
    path.write_text(text.replace(old, new))


def test_it_is_the_same_twice(scripts):
    assert digest() == digest()


def test_it_does_not_depend_on_where_the_repository_lies(scripts, monkeypatch):
    copied = digest()
    monkeypatch.setattr(code_digest, "SCRIPTS", SCRIPTS)
    assert digest() == copied


EDITS = {
    "docstring": ('"""', '"""Another docstring. '),
    "empty lines": ("\n\n", "\n\n\n"),
    "comments": ("\n\n", "\n# why\n\n"),
}


@pytest.mark.parametrize("edit", EDITS)
@pytest.mark.parametrize(
    "name", ["convert.py", "deltann/execution/stage.py", "deltann/converters/tf2onnx.py"]
)
def test_comments_docstrings_and_formatting_change_nothing(scripts, name, edit):
    before = digest()
    path = scripts / name
    text = path.read_text()
    edited = text.replace(*EDITS[edit], 1 if edit == "docstring" else -1)
    assert edited != text
    path.write_text(edited)
    assert digest() == before


def test_a_docstring_of_a_function_changes_nothing(scripts):
    before = digest()
    replace(scripts / "deltann/provenance/files.py", '"""Read a JSON file."""', '"""Read it."""')
    assert digest() == before


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        ("convert.py", 'names = ("edge",', 'names = ("edges",'),
        ("deltann/execution/isolation.py", "POLL_SECONDS = 0.05", "POLL_SECONDS = 0.06"),
        ("deltann/errors.py", "class Transient(Exception)", "class Transient(BaseException)"),
        ("deltann/converters/__init__.py", "sorted(", "list("),
        ("deltann/converters/tf2onnx.py", 'SOURCE = "', 'SOURCE = "a'),
    ],
)
def test_a_changed_constant_changes_it(scripts, name, old, new):
    before = digest()
    replace(scripts / name, old, new)
    assert digest() != before


def test_a_string_that_is_no_docstring_counts(scripts):
    path = scripts / "deltann/errors.py"
    path.write_text(path.read_text() + '\nTEXT = """one"""\n')
    before = digest()
    replace(path, '"""one"""', '"""two"""')
    assert digest() != before


def test_an_import_inside_a_function_is_followed(scripts):
    late = scripts / "deltann/stages/disturbance.py"
    before = digest()
    late.write_text(late.read_text() + "\nMORE = 1\n")
    assert digest() == before  # not imported yet
    path = scripts / "deltann/converters/tf2onnx.py"
    imports = (
        "\n\ndef late():\n    from deltann.stages import disturbance\n    return disturbance\n"
    )
    path.write_text(path.read_text() + imports)
    before = digest()
    late.write_text(late.read_text() + "\nMORE = 2\n")
    assert digest() != before


LLVM, CUDA = "deltann.tvm.target_kinds.llvm", "deltann.tvm.target_kinds.cuda"
LATE = {
    "deltann/tvm/passes/pack_layout/pooling.py": ("scripts/compile.py", LLVM),
    "deltann/tvm/passes/combine_parallel_conv2d.py": ("scripts/compile.py", LLVM),
    "deltann/tvm/cpu/packed_schedules.py": ("scripts/tune.py", LLVM),
    "deltann/tvm/cuda/schedules.py": ("scripts/compile.py", CUDA),
    "deltann/models/paper/from_keras.py": ("scripts/export.py", "deltann.models.paper"),
    "deltann/models/efficientnet_lite/keras_layers.py": (
        "scripts/export.py",
        "deltann.models.efficientnet_lite",
    ),
}


@pytest.mark.parametrize("name", LATE)
def test_what_a_job_loads_late_counts(scripts, name):
    script, module = LATE[name]
    stage = f"deltann.stages.{Path(script).stem}"
    before = digest(script, stage, module)
    (scripts / name).write_text((scripts / name).read_text() + "\nMORE = 1\n")
    assert digest(script, stage, module) != before


def test_a_processors_kernels_do_not_depend_on_a_gpus(scripts):
    names = ("scripts/compile.py", "deltann.stages.compile", LLVM)
    before = digest(*names)
    path = scripts / "deltann/tvm/cuda/schedules.py"
    path.write_text(path.read_text() + "\nMORE = 1\n")
    assert digest(*names) == before


@pytest.mark.parametrize(
    "name",
    [
        "deltann/metrics/speed.py",
        "deltann/converters/torch_onnx.py",
        "deltann/figures/style.py",
        "infer.py",
    ],
)
def test_an_edit_elsewhere_changes_nothing(scripts, name):
    before = digest()
    path = scripts / name
    path.write_text(path.read_text() + "\nMORE = 1\n")
    assert digest() == before


@pytest.mark.parametrize(
    ("script", "modules"),
    [("scripts/nothing.py", (CONVERTER,)), ("scripts/convert.py", ("deltann.converters.nothing",))],
)
def test_what_does_not_exist_is_refused(scripts, script, modules):
    with pytest.raises(FileNotFoundError, match="nothing"):
        digest(script, *modules)
