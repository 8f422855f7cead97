"""All files that a model of one's own consists of are found before any job, or refused."""

import os
import shutil
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from deltann.errors import StudyError
from deltann.formats import folder_tar, onnx_external_data, onnx_graph, python_code
from deltann.models import user_model
from helpers.workspace import ROOT


def varint(value: int) -> bytes:
    """A number in Protocol Buffers' encoding."""
    low = value & 0x7F
    return bytes([low | 0x80]) + varint(value >> 7) if value > 0x7F else bytes([low])


def field(number: int, value: bytes | int) -> bytes:
    """A field with a number, or with a text or message."""
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    return varint(number << 3 | 2) + varint(len(value)) + value


def tensor(location: str | None, external: int = 1) -> bytes:
    """A TensorProto with its values in another file, or in itself; fields of all encodings."""
    more = varint(2 << 3 | 0) + varint(1) + varint(7 << 3 | 5) + b"1234" + varint(6 << 3 | 1)
    if location is None:
        return field(8, b"weight") + more + b"12345678" + field(9, bytes(300))
    texts = [(b"offset", b"0"), (b"location", location.encode())]
    entries = b"".join(field(13, field(1, key) + field(2, value)) for key, value in texts)
    return field(8, b"weight") + entries + field(14, external)


def model(*locations: str) -> bytes:
    """A ModelProto whose tensors have these locations, one in each place that can have a tensor."""
    places = [
        lambda item: field(7, field(5, item)),  # an initializer
        lambda item: field(7, field(1, field(5, field(5, item)))),  # a node's attribute
        lambda item: field(7, field(1, field(5, field(10, item)))),  # a list of tensors
        lambda item: field(7, field(1, field(5, field(6, field(5, item))))),  # in a branch
        lambda item: field(7, field(1, field(5, field(11, field(5, item))))),  # in a branch
        lambda item: field(7, field(15, field(1, item))),  # a sparse initializer
        lambda item: field(7, field(1, field(5, field(22, field(2, item))))),  # a sparse attribute
        lambda item: field(25, field(7, field(5, field(5, item)))),  # a function's node
        lambda item: field(20, field(1, field(5, item))),  # for training
    ]
    names = [*locations, *[None] * len(places)][: max(len(places), len(locations))]
    content = [places[k % len(places)](tensor(name)) for k, name in enumerate(names)]
    return field(1, 8) + b"".join(content) + field(2, b"pytorch")


def onnx_file(folder: Path, *locations: str, size: int = 8) -> Path:
    """An ONNX file and the files with its external data."""
    for location in locations:
        path = folder / location
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"")
        os.truncate(path, size)
    (folder / "model.onnx").write_bytes(model(*locations))
    return folder / "model.onnx"


def test_external_data_are_found_wherever_a_tensor_may_be(tmp_path):
    locations = [f"w{number}.bin" for number in range(9)]
    path = onnx_file(tmp_path, *locations)
    assert onnx_external_data.locations(path) == locations
    assert onnx_external_data.files(path) == [tmp_path / name for name in locations]


def test_external_data_may_be_shared_and_in_a_folder(tmp_path):
    path = onnx_file(tmp_path, "weights/w.bin", "weights/w.bin", "été.data")
    assert onnx_external_data.files(path) == [tmp_path / "weights/w.bin", tmp_path / "été.data"]


def test_a_tensor_with_its_own_values_has_no_external_data(tmp_path):
    path = tmp_path / "model.onnx"
    path.write_bytes(
        field(7, field(5, tensor("left-over.bin", external=0)) + field(5, tensor(None)))
    )
    assert onnx_external_data.locations(path) == []


@pytest.mark.parametrize("location", ["/etc/passwd", "../w.bin", "a/../../w.bin", ""])
def test_external_data_outside_the_folder_are_refused(tmp_path, location):
    path = tmp_path / "model.onnx"
    path.write_bytes(model(location))
    (tmp_path.parent / "w.bin").write_bytes(b"1")
    with pytest.raises(StudyError, match=f"{location!r}; expected a file in the model's folder"):
        onnx_external_data.files(path)


def test_missing_linked_and_too_large_external_data_are_refused(tmp_path):
    path = onnx_file(tmp_path, "w.bin")
    (tmp_path / "w.bin").rename(tmp_path / "v.bin")
    with pytest.raises(StudyError, match="w.bin' doesn't exist"):
        onnx_external_data.files(path)
    for link in (os.symlink, os.link):
        link(tmp_path / "v.bin", tmp_path / "w.bin")
        with pytest.raises(StudyError, match="'w.bin', which is a link; onnx reads no links"):
            onnx_external_data.files(path)
        (tmp_path / "w.bin").unlink()
    with pytest.raises(StudyError, match="2.1 GB; expected less than 2.1 GB"):
        onnx_external_data.files(onnx_file(tmp_path, "w.bin", size=2**31))


@pytest.mark.parametrize(
    "content",
    [b"", b"version https://git-lfs.github.com/spec/v1\n", model("w.bin")[:-9], b"\xff" * 20],
)
def test_what_is_no_onnx_file_is_refused(tmp_path, content):
    (tmp_path / "model.onnx").write_bytes(content)
    described = {"name": "mine", "source": "onnx", "file": str(tmp_path / "model.onnx")}
    with pytest.raises(StudyError, match="config key models.mine.file: '.*model.onnx': "):
        user_model.files(described)


def test_a_sha256_is_of_a_model_in_one_file(tmp_path):
    path = onnx_file(tmp_path, "w.bin")
    described = {"name": "mine", "source": "onnx", "file": str(path), "sha256": "0" * 64}
    with pytest.raises(
        StudyError, match=r"models.mine.sha256: the model has 2 files, .*model.onnx'"
    ):
        user_model.check_file(described)


@pytest.mark.parametrize("name", ["model.ONNX", "model.Onnx"])
def test_a_suffix_in_capitals_is_known(tmp_path, name):
    onnx_file(tmp_path).rename(tmp_path / name)
    described = {"name": "mine", "source": "onnx", "file": str(tmp_path / name)}
    user_model.check_file(described)
    assert user_model.files(described) == [str(tmp_path / name)]


def test_all_files_of_a_saved_model_are_found_but_its_fingerprint(tmp_path):
    for name in ("saved_model.pb", "fingerprint.pb", "variables/variables.index", "assets/a.txt"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(name)
    described = {"name": "mine", "source": "tensorflow", "file": str(tmp_path)}
    found = [
        tmp_path / name for name in ("assets/a.txt", "saved_model.pb", "variables/variables.index")
    ]
    assert user_model.files(described) == [str(path) for path in found]
    (tmp_path / "more").symlink_to(tmp_path / "assets")
    with pytest.raises(StudyError, match="more' is no file but a link"):
        user_model.files(described)


def test_a_linked_file_in_a_folder_is_in_its_tar(tmp_path):
    (tmp_path / "blob").write_text("content")
    (tmp_path / "saved").mkdir()
    (tmp_path / "saved/saved_model.pb").symlink_to(tmp_path / "blob")
    folder_tar.tar_folder(tmp_path / "saved", tmp_path / "saved.tar")
    folder = folder_tar.untar_folder(tmp_path / "saved.tar", tmp_path / "again")
    shutil.rmtree(tmp_path / "saved")
    assert (folder / "saved_model.pb").read_text() == "content"


def test_weights_are_no_inputs():
    """As IR version 3 lists them. From version 4 on they needn't be."""
    names = [SimpleNamespace(name=name) for name in ("image", "weight", "bias")]
    model = SimpleNamespace(
        graph=SimpleNamespace(input=[*names], initializer=names[1:]), ir_version=3
    )
    onnx_graph.drop_initialized_inputs(model)
    assert (model.graph.input, model.ir_version) == (names[:1], 4)


# A network in a package, with each kind of import; `alone.py` is imported by none.
PACKAGE = {
    "zoo/__init__.py": "",
    "zoo/nets/__init__.py": "from . import registry\n",
    "zoo/nets/registry.py": "NAMES = []\n",
    "zoo/nets/net.py": (
        "import json\nfrom ..layers.blocks import *\nfrom .heads import head as top\n"
        "import zoo.constants\nimport beside\n\n\ndef build():\n    from tools import late\n"
        "    return SCALE + top() + zoo.constants.ONE + beside.TEN + late.HUNDRED\n"
    ),
    "zoo/nets/heads.py": "def head():\n    return 0.5\n",
    "zoo/nets/beside.py": "TEN = 10\n",
    "zoo/nets/alone.py": "",
    "zoo/layers/__init__.py": "",
    "zoo/layers/blocks.py": "SCALE = 2\n",
    "zoo/constants.py": "ONE = 1\n",
    "tools/late.py": "HUNDRED = 100\n",
}
RUN = """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from deltann.formats import python_code
code, function, *declared = sys.argv[2:]
with python_code.only_reading([*python_code.files(Path(code)), *declared], ValueError):
    returned = python_code.call(Path(code), function)
print(returned)
"""


def write(folder: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)


def call(folder: Path, *arguments: str) -> str:
    """What a function returns in a process of its own, or the last line of the error."""
    command = [sys.executable, "-c", RUN, ROOT / "scripts", *arguments]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    return (done.stdout or done.stderr).strip().splitlines()[-1]


def test_the_modules_that_code_imports_are_found_and_imported(tmp_path, monkeypatch):
    write(tmp_path, PACKAGE)
    monkeypatch.chdir(tmp_path)
    found = python_code.files(Path("zoo/nets/net.py"))
    assert found == sorted(PACKAGE.keys() - {"zoo/nets/alone.py"})
    assert call(tmp_path, "zoo/nets/net.py", "build") == "113.5"


def test_a_change_in_the_same_second_counts(tmp_path):
    """Python's own compiled files don't notice it: they have the second and the size."""
    write(tmp_path, {"net.py": "import part\nbuild = part.build\n"})
    for answer in "12":
        write(tmp_path, {"part.py": f"def build():\n    return {answer}\n"})
        os.utime(tmp_path / "part.py", (1e9, 1e9))
        subprocess.run([sys.executable, "-c", "import part"], cwd=tmp_path, check=True)
        assert call(tmp_path, "net.py", "build") == answer


def test_relative_imports_need_no_init_file(tmp_path):
    write(tmp_path, {"nets/net.py": "from .part import build\n"})
    write(tmp_path, {"nets/part.py": "def build():\n    return 3\n"})
    assert call(tmp_path, "nets/net.py", "build") == "3"


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("import importlib\n\n\ndef build():\n    importlib.import_module('part')\n", "part.py"),
        ("def build():\n    return open('data.json').read()\n", "data.json"),
    ],
)
def test_what_no_import_statement_names_is_refused_or_declared(tmp_path, code, said):
    write(tmp_path, {"net.py": code, "part.py": "\n", "data.json": "5"})
    assert call(tmp_path, "net.py", "build") == f"ValueError: {said}"
    assert call(tmp_path, "net.py", "build", "data.json", "part.py") in ("5", "None")


def test_code_may_read_what_it_wrote_and_what_is_installed(tmp_path):
    write(
        tmp_path,
        {
            "net.py": "import json, numpy.polynomial\n\n\ndef build():\n"
            "    open('made.txt', 'w').write('6')\n    return open('made.txt').read()\n"
        },
    )
    assert call(tmp_path, "net.py", "build") == "6"


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ({"net.py": "import no_such_part\n"}, "net.py: no module 'no_such_part'; expected it in "),
        ({"net.py": "build = 3\n"}, "net.py has no function 'build'; expected the name of one"),
        ({"net.py": "def build(:\n"}, "net.py: not a Python file: invalid syntax"),
        ({"net.py": "import part\n", "part.py": "\0"}, "part.py: not a Python file: "),
    ],
)
def test_code_that_cannot_be_called_is_one_sentence(tmp_path, files, said):
    write(tmp_path, files)
    assert said in call(tmp_path, "net.py", "build")


def test_code_with_the_name_of_a_loaded_module_is_refused(tmp_path):
    write(tmp_path, {"sys.py": "def build():\n    return 1\n"})
    assert "'sys' is also the name of a module" in call(tmp_path, "sys.py", "build")
