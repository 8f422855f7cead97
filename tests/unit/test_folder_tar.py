"""A SavedModel in one file: repeatable to the byte, and safe to unpack."""

import io
import os
import tarfile
import time

import pytest

from deltann.formats import folder_tar


@pytest.fixture
def folder(tmp_path):
    """Something with the shape of a SavedModel."""
    path = tmp_path / "model"
    (path / "variables").mkdir(parents=True)
    (path / "saved_model.pb").write_bytes(b"graph")
    (path / "variables/variables.index").write_bytes(b"index")
    (path / "fingerprint.pb").write_bytes(b"random")
    return path


def test_the_same_content_gives_the_same_bytes(folder, tmp_path):
    folder_tar.tar_folder(folder, tmp_path / "first.tar")
    again = tmp_path / "again"
    (again / "variables").mkdir(parents=True)
    for name in ("variables/variables.index", "saved_model.pb"):  # made in another order
        (again / name).write_bytes((folder / name).read_bytes())
        (again / name).chmod(0o600)
        os.utime(again / name, (time.time() - 1e6,) * 2)
    (again / "fingerprint.pb").write_bytes(b"other")
    folder_tar.tar_folder(again, tmp_path / "second.tar")
    assert (tmp_path / "first.tar").read_bytes() == (tmp_path / "second.tar").read_bytes()


def test_other_content_gives_other_bytes(folder, tmp_path):
    folder_tar.tar_folder(folder, tmp_path / "first.tar")
    (folder / "saved_model.pb").write_bytes(b"grapH")
    folder_tar.tar_folder(folder, tmp_path / "second.tar")
    assert (tmp_path / "first.tar").read_bytes() != (tmp_path / "second.tar").read_bytes()


def test_unpacking_gives_the_content_back(folder, tmp_path):
    folder_tar.tar_folder(folder, tmp_path / "model.tar")
    out = folder_tar.untar_folder(tmp_path / "model.tar", tmp_path / "out")
    assert (out / "saved_model.pb").read_bytes() == b"graph"
    assert (out / "variables/variables.index").read_bytes() == b"index"


LINK = tarfile.LinkOutsideDestinationError


def member(name: str, **fields) -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    for field, value in fields.items():
        setattr(info, field, value)
    return info


@pytest.mark.parametrize(
    ("info", "error"),
    [
        (member("../outside", size=4), tarfile.OutsideDestinationError),
        (member("variables/../../outside", size=4), tarfile.OutsideDestinationError),
        (member("link", type=tarfile.SYMTYPE, linkname="../outside"), LINK),
        (member("link", type=tarfile.SYMTYPE, linkname="/etc/passwd"), tarfile.AbsoluteLinkError),
        (member("link", type=tarfile.LNKTYPE, linkname="../outside"), LINK),
        (member("device", type=tarfile.CHRTYPE, devmajor=1, devminor=3), tarfile.SpecialFileError),
    ],
    ids=["parent", "detour", "symlink", "absolute-symlink", "hard-link", "device"],
)
def test_an_unsafe_member_is_refused(info, error, tmp_path):
    (tmp_path / "outside").write_bytes(b"mine")
    with tarfile.open(tmp_path / "bad.tar", "w") as bad:
        bad.addfile(info, io.BytesIO(b"evil") if info.size else None)
    with pytest.raises(error):
        folder_tar.untar_folder(tmp_path / "bad.tar", tmp_path / "out")
    assert (tmp_path / "outside").read_bytes() == b"mine"
    assert not (tmp_path / "out").exists()


def test_a_file_of_another_kind_is_refused(tmp_path):
    (tmp_path / "text.tar").write_text("no archive")
    with pytest.raises(tarfile.ReadError):
        folder_tar.untar_folder(tmp_path / "text.tar", tmp_path / "out")
