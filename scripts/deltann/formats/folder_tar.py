"""A folder as one tar file: the same content gives the same bytes."""

import tarfile
from pathlib import Path

from deltann.errors import StudyError

SAVED_MODEL = "saved_model.pb"


def files(path: Path) -> list[Path]:
    """The files in a folder that its tar has, sorted; of any other path, the path itself.

    Raises:
        StudyError: the folder has a link to a folder or to nothing.
    """
    if not path.is_dir():
        return [path]
    found = sorted(item for item in path.rglob("*") if item.is_file() or item.is_symlink())
    links = [item for item in found if not item.is_file()]
    if links:
        raise StudyError(f"{str(links[0])!r} is no file but a link; expected files and folders")
    # it holds a random identifier, and no runtime needs it
    return [item for item in found if item.relative_to(path).as_posix() != "fingerprint.pb"]


def tar_folder(folder: Path, output: Path) -> None:
    """Write the files of a folder to an uncompressed tar: sorted names, no dates, no owners."""

    def anonymous(info: tarfile.TarInfo) -> tarfile.TarInfo:
        info.mtime, info.uid, info.gid, info.uname, info.gname, info.mode = 0, 0, 0, "", "", 0o644
        return info

    with tarfile.open(output, "w", format=tarfile.PAX_FORMAT) as archive:
        for path in files(folder):
            name = path.relative_to(folder).as_posix()
            archive.add(path.resolve(), name, recursive=False, filter=anonymous)


def untar_folder(tar: Path, folder: Path) -> Path:
    """Extract a tar into `folder`; refuse members that would land outside. Return `folder`.

    Raises:
        tarfile.TarError: the file is no tar archive, or a member is unsafe.
    """
    with tarfile.open(tar) as archive:
        archive.extractall(folder, filter="data")
    return folder


def saved_model(path: Path, folder: Path) -> Path:
    """The folder of a SavedModel that is a folder, or in a tar.

    Args:
        path: the SavedModel's folder; or a tar of its files, or of one folder that has them.
        folder: to extract a tar into.

    Raises:
        ValueError: it is no tar, or there isn't one SavedModel in it.
    """
    if path.is_dir():
        return path
    if not tarfile.is_tarfile(path):
        raise ValueError(f"{str(path)!r} is no tar; expected a tar of a SavedModel's folder")
    untar_folder(path, folder)
    found = [item.parent for item in sorted(folder.rglob(SAVED_MODEL))]
    if folder in found:
        return folder
    if len(found) != 1:
        raise ValueError(
            f"{str(path)!r} has {len(found)} files named {SAVED_MODEL}; expected a tar of one"
            " SavedModel's folder"
        )
    return found[0]
