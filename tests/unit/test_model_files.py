"""All files that a model of one's own consists of are found before any job, or refused."""

import os
import shutil
from pathlib import Path
from types import SimpleNamespace

import pytest

from deltann.archive.verify import Verification
from deltann.errors import StudyError
from deltann.formats import folder_tar, onnx_external_data, onnx_graph
from deltann.models import user_model
from deltann.provenance import files, records


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


def test_verify_names_a_changed_or_lost_file_where_the_model_is(tmp_path):
    """A study that was moved to another machine has none of them there."""
    path = onnx_file(tmp_path, "w.bin")
    artifact = tmp_path / "study/models/mine/onnx/unconverted.onnx"
    artifact.parent.mkdir(parents=True)
    artifact.write_bytes(b"exported")
    record = artifact.with_name(f"{artifact.name}.json")
    read = {str(file): files.checksum(file) for file in (path, tmp_path / "w.bin")}
    records.write(record, "export", [artifact], {}, "", user_files=read)

    def named() -> list[str]:
        wrong = Verification(tmp_path / "study").wrong
        return [line for line in wrong if "w.bin" in line or "model.onnx" in line]

    assert named() == []
    (tmp_path / "w.bin").write_bytes(b"changed")
    assert named() == [f"{record}: it was made from another {tmp_path}/w.bin. Run again"]
    (tmp_path / "w.bin").unlink()
    assert named() == [f"{tmp_path}/w.bin is missing. Run again"]
    path.unlink()
    assert named() == []


def test_an_empty_file_is_no_onnx_file(tmp_path):
    (tmp_path / "model.onnx").touch()
    with pytest.raises(StudyError, match="^it is empty, and no ONNX file"):
        onnx_external_data.files(tmp_path / "model.onnx")
