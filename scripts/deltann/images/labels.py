"""The true classes of images: from `labels.csv`, from folders, or from file names."""

import csv
import io
import os
from collections.abc import Iterable, Sequence

from deltann.errors import StudyError
from deltann.images import class_names
from deltann.images.collection import (
    LABELS,
    NUMBER,
    PACKAGES,
    VALIDATION,
    WORDNET,
    Collection,
)


def label_sources(
    collection: Collection, names: list[str], classes: Sequence[str] = ()
) -> dict[str, int | str]:
    """What determines the class of each image.

    `labels.csv` if it exists, for all images. Otherwise the name of the sub-folder that an image is
    in (a class's number or name, or a WordNet ID), or the file name of an ILSVRC-2012 validation
    image.

    Args:
        collection: the images.
        names: those to label.
        classes: the classes' names in their order, if they have any.

    Returns:
        By image name: the 0-based class, a WordNet ID (`n01440764`), or the published name of a
        validation image (`ILSVRC2012_val_00000001.JPEG`). Images without a label are missing.

    Raises:
        StudyError: a sub-folder isn't named by a class, or from `read_labels`.
    """
    if LABELS in collection.files:
        return dict(read_labels(collection, names, classes))
    if collection.package:
        pattern = PACKAGES[collection.package][1]
        matches = {name: pattern.fullmatch(name) for name in names}
        labelled = {
            name: match.groupdict().get("label") for name, match in matches.items() if match
        }
        return {name: int(label) for name, label in labelled.items() if label is not None}
    sources: dict[str, int | str] = {}
    for name in names:
        folder, _, base = name.rpartition("/")
        if folder:
            sources[name] = _class(collection, folder, name, classes)
        elif VALIDATION.fullmatch(stem := os.path.splitext(base)[0]):
            sources[name] = f"{stem}.JPEG"
    return sources


def _class(collection: Collection, folder: str, name: str, classes: Sequence[str]) -> int | str:
    if (number := class_names.number(folder, classes)) is not None:
        return number
    if NUMBER.fullmatch(folder):
        return int(folder)
    if WORDNET.fullmatch(folder):
        return folder
    raise StudyError(
        f"{collection.where}: {name!r} is in {folder!r}; expected a sub-folder named by a class "
        f"number{class_names.hint(folder, classes)} or a WordNet ID like n01440764, or {LABELS} "
        "beside the sub-folders"
    )


def read_labels(
    collection: Collection, names: Iterable[str], classes: Sequence[str] = ()
) -> dict[str, int]:
    """Read `labels.csv`: columns `image` and `label`, a 0-based class or its name.

    Returns:
        The labels by image name, without the images that the file doesn't name.

    Raises:
        StudyError: the file isn't UTF-8 or lacks a column, a label isn't a class, or an
            image is named twice or isn't in `names`; the message gives the line.
    """
    known = set(names)
    where = str(collection.path / LABELS)
    labels: dict[str, int] = {}
    try:
        text = collection.read(LABELS).decode("utf-8-sig")
        rows = csv.DictReader(io.StringIO(text, newline=""))
        if not {"image", "label"} <= set(rows.fieldnames or ()):
            raise StudyError(f"{where}: columns are {rows.fieldnames}; expected image and label")
        for row in rows:
            _add_label(labels, row, known, classes, f"{where}, line {rows.line_num}")
    except (UnicodeDecodeError, csv.Error) as error:
        kind = "UTF-8" if isinstance(error, UnicodeDecodeError) else "CSV"
        raise StudyError(f"{where}: not {kind} text: {error}") from error
    return labels


def _add_label(
    labels: dict[str, int], row: dict, known: set[str], classes: Sequence[str], where: str
) -> None:
    name, label = row["image"], (row["label"] or "").strip()
    if name in labels:
        raise StudyError(f"{where}: {name!r} is named twice")
    if name not in known:
        raise StudyError(f"{where}: {name!r} is not an image")
    try:
        number = class_names.number(label, classes)
    except StudyError as error:
        raise StudyError(f"{where}: {error}") from error
    if number is None and not NUMBER.fullmatch(label):
        hint = class_names.hint(label, classes)
        raise StudyError(f"{where}: label {label!r}; expected a class number from 0{hint}")
    labels[name] = int(label) if number is None else number
