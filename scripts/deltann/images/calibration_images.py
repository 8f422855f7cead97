"""Prepare the images that quantizers calibrate on: others than the study tests."""

from collections.abc import Iterator
from pathlib import Path

from deltann.errors import StudyError
from deltann.images import prepare as images
from deltann.images.collection import (
    CALIBRATION,
    UNKNOWN_LABEL,
    Collection,
    list_images,
    open_collection,
    select,
)
from deltann.images.geometry import Geometry
from deltann.images.prepared import TESTED
from deltann.provenance import files

LISTED = 3  # so many images are named in a message


def prepare(
    path: Path,
    subset: dict,
    tested: set[str],
    allow_tested: bool,
    geometry: Geometry,
    resizer: str,
    output: Path,
) -> None:
    """Prepare the calibration images of one geometry.

    Args:
        path: a folder, a wheel or a download's archive, with the images.
        subset: see `deltann.images.collection.select`.
        tested: the SHA-256 of the file of each image that the study tests.
        allow_tested: whether images that are tested may be among them.
        geometry: the size before the crop, the crop's size, and the interpolation.
        resizer: name of a module in `deltann.images.resizers`.
        output: the file to write: see `deltann.images.prepared`.

    Raises:
        StudyError: some are tested too, none can be decoded, or from `deltann.images.collection`.
    """
    with open_collection(path, CALIBRATION) as collection:
        names = select(list_images(collection), subset, collection.where, CALIBRATION)
        both = [name for name in names if files.checksum_bytes(collection.read(name)) in tested]
        if both and not allow_tested:
            raise StudyError(_refusal(collection, names, both))
        images.prepare(
            _photographs(collection, names), geometry, resizer, output, **{TESTED: len(both)}
        )
    print(f"{len(names)} images to calibrate on, {len(both)} of them tested too")


def _photographs(collection: Collection, names: list[str]) -> Iterator[images.Photograph]:
    for name in names:
        yield images.Photograph(name, UNKNOWN_LABEL, collection.read(name))


def _refusal(collection: Collection, names: list[str], both: list[str]) -> str:
    named = ", ".join(map(repr, both[:LISTED])) + (", …" if len(both) > LISTED else "")
    return (
        f"{collection.where}: {len(both)} of its {len(names)} images are also tested ({named}), so"
        " that quantized models would have seen them; expected other images, or calibration:"
        " {allow_tested: true} in the config, which the summary then says"
    )
