"""A folder as one tar file: the same content gives the same bytes."""

import tarfile
from pathlib import Path


def tar_folder(folder: Path, output: Path) -> None:
    """Write the files of a folder to an uncompressed tar: sorted names, no dates, no owners."""

    def anonymous(info: tarfile.TarInfo) -> tarfile.TarInfo:
        info.mtime, info.uid, info.gid, info.uname, info.gname, info.mode = 0, 0, 0, "", "", 0o644
        return info

    with tarfile.open(output, "w", format=tarfile.PAX_FORMAT) as archive:
        for path in sorted(item for item in folder.rglob("*") if item.is_file()):
            name = path.relative_to(folder).as_posix()
            if name != "fingerprint.pb":  # holds a random identifier, and no runtime needs it
                archive.add(path, name, recursive=False, filter=anonymous)


def untar_folder(tar: Path, folder: Path) -> Path:
    """Extract a tar into `folder`; refuse members that would land outside. Return `folder`.

    Raises:
        tarfile.TarError: the file is no tar archive, or a member is unsafe.
    """
    with tarfile.open(tar) as archive:
        archive.extractall(folder, filter="data")
    return folder
