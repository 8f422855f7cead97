"""The model files between a cell and its unconverted model, in the order of their conversion."""

import argparse
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from deltann import precision
from deltann.errors import StudyError
from deltann.images.preprocessing import Preprocessing
from deltann.precision import Precision
from deltann.provenance import records


@dataclass(frozen=True)
class Artefact:
    """A model file and the edge that made it.

    Attributes:
        edge: the edge's name; empty for the unconverted model.
        converter: the edge's module of `deltann.converters`.
        settings: the converter's.
        framework: the format of the file.
        path: the file.
        checksum: the file's.
        precision: what the file computes in.
    """

    edge: str
    converter: str
    settings: dict
    framework: str
    path: Path
    checksum: str
    precision: Precision

    @property
    def name(self) -> str:
        """What a page calls it."""
        return f"the {self.framework} file of {self.edge}" if self.edge else "the unconverted model"


def read(options: argparse.Namespace) -> list[Artefact]:
    """The chain among the options of scripts/explain.py, with every file checked.

    Raises:
        StudyError: a file was changed or damaged, or its stage failed.
    """
    found = []
    for step, path, record in zip(options.chain, options.files, options.records, strict=True):
        checksum, described = records.check(path, record), records.read(record)
        if described["status"] == "failed":
            error = described["error"]
            raise StudyError(
                f"{path} couldn't be made, so there is nothing to compare: "
                f"{described['failed_stage']} failed: {error['type']}: {error['message']}"
            )
        found.append(
            Artefact(
                **step,
                path=path,
                checksum=checksum,
                precision=precision.read(described["details"]),
            )
        )
    return found


@dataclass(frozen=True)
class Images:
    """Prepared images of a cell, and how its model takes them.

    Attributes:
        pixels: uint8 (image, y, x, channel), RGB.
        preprocessing: the fields of `deltann.images.preprocessing.Preprocessing`.
        resizer: the library that resized them.
    """

    pixels: np.ndarray
    preprocessing: dict
    resizer: str

    @property
    def convention(self) -> Preprocessing:
        """The preprocessing."""
        return Preprocessing(**self.preprocessing)

    def same_as(self, other: "Images") -> bool:
        """Whether a model gets the same numbers."""
        return self.preprocessing == other.preprocessing and np.array_equal(
            self.pixels, other.pixels
        )
