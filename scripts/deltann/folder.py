"""What an image folder holds and what its labels file says, checked without decoding anything."""

import csv
import io
from pathlib import Path

from deltann.errors import StudyError

SUFFIXES = {".bmp", ".gif", ".jpeg", ".jpg", ".png", ".ppm", ".tif", ".tiff", ".webp"}
UNKNOWN_LABEL = -1


def list_images(folder: Path) -> list[str]:
    """The sorted names of a folder's image files, by suffix.

    Raises:
        StudyError: no such folder, no image in it, or two names that differ only in case
            (they would be one file on other systems).
    """
    if not folder.is_dir():
        raise StudyError(f"images.folder: {str(folder)!r} is not a folder")
    names = sorted(
        item.name for item in folder.iterdir() if item.is_file() and item.suffix.lower() in SUFFIXES
    )
    if not names:
        raise StudyError(
            f"images.folder: {str(folder)!r} has no image; expected files ending in "
            f"{', '.join(sorted(SUFFIXES))}"
        )
    seen: dict[str, str] = {}
    for name in names:
        if (other := seen.setdefault(name.lower(), name)) != name:
            raise StudyError(f"images.folder: duplicate names {other!r} and {name!r} in {folder}")
    return names


def read_labels(folder: Path, names: list[str]) -> dict[str, int]:
    """The labels in `labels.csv` (columns `image`, `label`: 0-based class), by image name.

    Returns:
        An empty dictionary where the folder has no such file; images that the file doesn't
        name have no label.

    Raises:
        StudyError: wrong columns, a label that isn't a number from 0, an image named twice or
            not in the folder.
    """
    path = folder / "labels.csv"
    if not path.is_file():
        return {}
    labels: dict[str, int] = {}
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise StudyError(f"{path}: not UTF-8 text: {error}") from error
    with io.StringIO(text, newline="") as stream:
        rows = csv.DictReader(stream)
        if not {"image", "label"} <= set(rows.fieldnames or ()):
            raise StudyError(f"{path}: columns are {rows.fieldnames}; expected image and label")
        for row in rows:
            name, label = row["image"], row["label"] or ""
            where = f"{path}, line {rows.line_num}"
            if name in labels:
                raise StudyError(f"{where}: {name!r} is named twice")
            if name not in names:
                raise StudyError(f"{where}: {name!r} is no image in {folder}")
            if not label.strip().isdecimal():
                raise StudyError(f"{where}: label {label!r}; expected a class number from 0")
            labels[name] = int(label)
    return labels
