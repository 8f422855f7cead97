"""A folder packed into one file, the same bytes for the same content."""

import tarfile
from pathlib import Path


def pack(folder: Path, target: Path) -> None:
    """Pack a folder into an uncompressed tar: sorted names, no dates, no owners."""

    def anonymous(info: tarfile.TarInfo) -> tarfile.TarInfo:
        info.mtime, info.uid, info.gid, info.uname, info.gname, info.mode = 0, 0, 0, "", "", 0o644
        return info

    with tarfile.open(target, "w", format=tarfile.PAX_FORMAT) as archive:
        for path in sorted(item for item in folder.rglob("*") if item.is_file()):
            name = path.relative_to(folder).as_posix()
            if name != "fingerprint.pb":  # holds a random identifier, and no runtime needs it
                archive.add(path, name, recursive=False, filter=anonymous)


def unpack(source: Path, folder: Path) -> Path:
    """Unpack into `folder`, refusing members that would land outside of it; return `folder`.

    Raises:
        tarfile.TarError: the file is no tar archive, or a member is unsafe.
    """
    with tarfile.open(source) as archive:
        archive.extractall(folder, filter="data")
    return folder
