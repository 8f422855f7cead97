"""Photographs from packages and downloads: unpacked, or refused by name."""

import functools
import http.server
import io
import os
import stat
import tarfile
import threading
import zipfile
from pathlib import Path

import pytest

from deltann.errors import StudyError
from deltann.images import listing
from deltann.images.collection import UNKNOWN_LABEL
from deltann.provenance import files
from helpers.photographs import CLASSES, NAMES, ODD, fill, listed, script


def test_the_packages_photographs_have_their_labels(tmp_path):
    wheel = tmp_path / "foolbox-3.3.4.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        for name in ("imagenet_01_243.jpg", "imagenet_00_7.jpg", "cifar10_00_3.png", "notes.txt"):
            archive.writestr(f"foolbox/data/{name}", name)
        archive.writestr("foolbox/imagenet_02_1.jpg", "elsewhere")
    assert listed(wheel) == {"imagenet_00_7.jpg": 7, "imagenet_01_243.jpg": 243}
    assert list(listed(wheel, count=1, seed=0).values())[0] in (7, 243)
    with pytest.raises(StudyError, match="images.package: .*0 to 99"):
        listed(wheel, classes=100)


@pytest.mark.parametrize("suffix", ["whl", "zip"])
def test_a_file_that_is_no_archive_is_named(tmp_path, suffix):
    (tmp_path / f"text.{suffix}").write_text("text")
    with pytest.raises(StudyError, match=rf"images\..*text\.{suffix}: not an archive, or damaged"):
        listed(tmp_path / f"text.{suffix}")


def fetch(source: Path | str, output: Path, sha256: str | None = None):
    """Run the download of a file or URL, which has the right SHA-256 unless another is given."""
    if isinstance(source, Path):
        sha256 = sha256 or files.checksum(source)
        source = source.as_uri()
    return script("fetch_images.py", "--url", source, "--sha256", sha256, "--output", str(output))


def tarred(path: Path, *members: tarfile.TarInfo | str, mode: str = "w:gz") -> Path:
    """A tar archive; a member without more is a file with its name as content."""
    with tarfile.open(path, mode) as archive:
        for member in members:
            info = tarfile.TarInfo(member) if isinstance(member, str) else member
            data = os.fsencode(info.name)
            info.size = len(data) if info.isreg() else 0
            archive.addfile(info, io.BytesIO(data))
    return path


def zipped(path: Path, *members: zipfile.ZipInfo | str) -> Path:
    """A zip archive; every member is a file with its name as content."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for member in members:
            archive.writestr(member, getattr(member, "filename", member))
    return path


def member(name: str, kind: bytes) -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.linkname, info.devmajor, info.devminor = kind, "a.png", 1, 3
    return info


def zip_link(name: str) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name)
    info.create_system, info.external_attr = 3, (stat.S_IFLNK | 0o777) << 16
    return info


@pytest.mark.parametrize("kind", ["zip", "tar", "tar.gz", "tar.bz2", "tar.xz"])
def test_a_download_is_as_good_as_a_folder(tmp_path, kind):
    names = ["n01440764/a.png", "3/a.png", "ILSVRC2012_val_00000001.JPEG", "notes.txt"]
    path = tmp_path / f"images.{kind}"
    if kind == "zip":
        zipped(path, *names)
    else:
        tarred(path, *names, mode=f"w:{kind[4:]}")
    done = fetch(path, tmp_path / "out.zip")
    assert done.returncode == 0, done.stdout
    expected = listed(fill(tmp_path / "folder", *names))
    assert listed(tmp_path / "out.zip") == expected
    entries = listing.list_photographs(tmp_path / "out.zip", {}, CLASSES)
    read = listing.contents(tmp_path / "out.zip", entries)
    assert [data.decode() for _, data in read] == sorted(expected)
    assert sorted(item.name for item in tmp_path.iterdir()) == sorted(
        ["folder", path.name, "out.zip"]
    )


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (["top/val/3/a.png", "top/val/4/a.png"], {"3/a.png": 3, "4/a.png": 4}),
        (["top/3/a.png", "top/3/b.png"], {"3/a.png": 3, "3/b.png": 3}),
        (["./a.png", "./b//c.png"], None),
        (["./3/a.png", "__MACOSX/3/._a.png", ".DS_Store"], {"3/a.png": 3}),
        (["top/a.png"], {"a.png": -1}),
    ],
)
def test_folders_around_everything_mean_nothing(tmp_path, names, expected):
    assert fetch(tarred(tmp_path / "i.tgz", *names), tmp_path / "out.zip").returncode == 0
    if expected is None:
        with pytest.raises(StudyError, match="images.url: .*'b/c.png' is in 'b'"):
            listed(tmp_path / "out.zip")
    else:
        assert listed(tmp_path / "out.zip") == expected


def test_a_download_brings_its_labels(tmp_path):
    with zipfile.ZipFile(tmp_path / "i.zip", "w") as archive:
        archive.writestr("top/cats/a.png", "a")
        archive.writestr("top/labels.csv", "image,label\ncats/a.png,8\n")
    assert fetch(tmp_path / "i.zip", tmp_path / "out.zip").returncode == 0
    assert listed(tmp_path / "out.zip") == {"cats/a.png": 8}


def test_odd_names_in_a_download_are_only_names(tmp_path):
    assert fetch(tarred(tmp_path / "i.tar", *ODD, mode="w"), tmp_path / "out.zip").returncode == 0
    assert sorted(listed(tmp_path / "out.zip")) == sorted(ODD)
    assert {item.name for item in tmp_path.iterdir()} == {"i.tar", "out.zip"}


def test_the_same_download_gives_the_same_bytes(tmp_path):
    path = tarred(tmp_path / "i.tar", "a.png", "b.png")
    fetch(path, tmp_path / "1.zip")
    fetch(path, tmp_path / "2.zip")
    assert (tmp_path / "1.zip").read_bytes() == (tmp_path / "2.zip").read_bytes()


UNSAFE = {
    "above": (["../a.png"], "'../a.png' leads outside"),
    "a detour": (["x/../../a.png"], "'x/../../a.png' leads outside"),
    "from the root": (["/tmp/a.png"], "'/tmp/a.png' leads outside"),
    "above and no image": (["a.png", "../.bashrc"], "'../.bashrc' leads outside"),
    "a folder above": ([member("../x", tarfile.DIRTYPE)], "'../x' leads outside"),
    "a link": ([member("l.png", tarfile.SYMTYPE)], "'l.png' is a link or a device"),
    "a hard link": (["a.png", member("l.png", tarfile.LNKTYPE)], "'l.png' is a link or a device"),
    "a device": ([member("null", tarfile.CHRTYPE)], "'null' is a link or a device"),
    "a pipe": ([member("pipe.png", tarfile.FIFOTYPE)], "'pipe.png' is a link or a device"),
    "a name twice": (["a.png", "./a.png"], "duplicate name 'a.png'"),
    "a name that is no text": ([os.fsdecode(b"\xff.png")], "dcff.png' is not UTF-8"),
    "no image": (["notes.txt", "labels.csv"], "has no image"),
    "nothing": ([], "has no image"),
}


@pytest.mark.parametrize("case", UNSAFE)
def test_a_bad_tar_archive_is_refused_by_name(tmp_path, case):
    members, message = UNSAFE[case]
    refused(tarred(tmp_path / "images.tgz", *members), message)


@pytest.mark.parametrize(
    ("members", "message"),
    [
        (["../a.png"], "'../a.png' leads outside"),
        (["/a.png"], "'/a.png' leads outside"),
        (["../x/"], "'../x/' leads outside"),
        ([zip_link("l.png")], "'l.png' is a link or a device"),
        (["a.png", "./a.png"], "duplicate name 'a.png'"),
        (["notes.txt"], "has no image"),
    ],
)
def test_a_bad_zip_archive_is_refused_by_name(tmp_path, members, message):
    refused(zipped(tmp_path / "images.zip", *members), message)


def refused(path: Path, message: str) -> None:
    """The download is refused in one line that names its address, and nothing is left behind."""
    before = sorted(path.parent.rglob("*"))
    done = fetch(path, path.parent / "out.zip")
    assert done.returncode == 1
    assert len(done.stdout.splitlines()) == 1, done.stdout
    assert f"images.url: '{path.as_uri()}'" in done.stdout
    assert message in done.stdout
    assert sorted(path.parent.rglob("*")) == before


def test_damage_is_refused(tmp_path):
    cut = tarred(tmp_path / "cut.tgz", *NAMES)
    cut.write_bytes(cut.read_bytes()[:-40])
    refused(cut, "is damaged")
    path = zipped(tmp_path / "flipped.zip", "a.png")
    data = bytearray(path.read_bytes())
    data[36] ^= 0xFF  # in the compressed content
    path.write_bytes(data)
    refused(path, "is damaged")
    (tmp_path / "text.zip").write_text("no archive")
    refused(tmp_path / "text.zip", "is not a zip or tar archive")


def test_a_zip_archive_at_the_end_of_a_tar_archive_changes_nothing(tmp_path):
    inner = zipped(tmp_path / "inner.zip", "wrong.png").read_bytes()
    with tarfile.open(tmp_path / "outer.tar", "w") as archive:
        for name, data in (("a.png", b"a"), ("inner.zip", inner)):
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    assert fetch(tmp_path / "outer.tar", tmp_path / "out.zip").returncode == 0
    assert listed(tmp_path / "out.zip") == {"a.png": UNKNOWN_LABEL}


def test_another_sha256_is_refused(tmp_path):
    path = zipped(tmp_path / "i.zip", "a.png")
    done = fetch(path, tmp_path / "out.zip", sha256="0" * 64)
    assert done.returncode == 1
    assert f"has the SHA-256 {files.checksum(path)}; expected {'0' * 64}" in done.stdout
    assert not (tmp_path / "out.zip").exists()


@pytest.fixture
def server(tmp_path):
    """An HTTP server of a folder; its address."""
    (tmp_path / "served").mkdir()
    quiet = type("Quiet", (http.server.SimpleHTTPRequestHandler,), {"log_message": lambda *_: None})
    handler = functools.partial(quiet, directory=tmp_path / "served")
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as serving:
        thread = threading.Thread(target=serving.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{serving.server_port}"
        serving.shutdown()
        thread.join()


def test_http_is_fetched(tmp_path, server, monkeypatch):
    monkeypatch.setenv("no_proxy", "*")
    path = zipped(tmp_path / "served/i.zip", "3/a.png")
    done = fetch(f"{server}/i.zip", tmp_path / "out.zip", files.checksum(path))
    assert done.returncode == 0, done.stdout
    assert listed(tmp_path / "out.zip") == {"3/a.png": 3}
    done = fetch(f"{server}/gone.zip", tmp_path / "out2.zip", "0" * 64)
    assert done.returncode == 1
    assert f"images.url: '{server}/gone.zip' could not be fetched: HTTP Error 404" in done.stdout


@pytest.mark.parametrize("url", ["file:///nowhere/i.zip", "http://127.0.0.1:1/i.zip", "nonsense"])
def test_an_address_that_gives_nothing_is_named(tmp_path, url, monkeypatch):
    monkeypatch.setenv("no_proxy", "*")
    done = fetch(url, tmp_path / "out.zip", "0" * 64)
    assert done.returncode == 1
    assert f"images.url: '{url}' could not be fetched: " in done.stdout
    assert "Traceback" not in done.stdout
    assert list(tmp_path.iterdir()) == []
