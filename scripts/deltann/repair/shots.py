"""The images of a repair: some for the search, the others to accept by."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from deltann.images import prepared
from deltann.repair.judge import differences, labels

# The search sees those that changed most, and one that did not. So many others accept.
CHANGED, UNCHANGED, OTHERS = 4, 1, 40
# A study with fewer images gets more.
FEW = 8


@dataclass(frozen=True)
class Shots:
    """Images, those for the search first.

    Attributes:
        pixels: uint8 (image, y, x, channel), RGB.
        names: of the images.
        seen: how many of them are for the search.
        more: what was added to the study's own images, in words; empty if nothing was.
    """

    pixels: np.ndarray
    names: tuple[str, ...]
    seen: int
    more: str = ""

    def facts(self) -> dict:
        """For the page and its JSON."""
        return {
            "search": list(self.names[: self.seen]),
            "held_out": list(self.names[self.seen :]),
            "added": self.more,
        }


def choose(native: np.ndarray, changed: np.ndarray) -> tuple[list[int], list[int]]:
    """Which images the search sees, and which it doesn't: numbers of both.

    Args:
        native, changed: logits (image, class) of the native cell and of the cell to repair.
    """
    far = np.where(labels(native) != labels(changed), 1e9, 0) + np.nan_to_num(
        differences(native, changed), posinf=1e8
    )
    order = np.argsort(-far, kind="stable").tolist()
    if len(order) <= CHANGED + UNCHANGED:  # half of few images
        half = -(-len(order) // 2)
        return order[:half], order[half:]
    seen = order[:CHANGED] + order[-UNCHANGED:]
    rest = order[CHANGED:-UNCHANGED]
    if len(rest) > OTHERS:
        places = np.linspace(OTHERS // 2, len(rest) - 1, OTHERS - OTHERS // 2).astype(int)
        rest = rest[: OTHERS // 2] + [rest[place] for place in places]
    return seen, rest


def read(images: Path, native: np.ndarray, changed: np.ndarray, calibration: Path | None) -> Shots:
    """Choose among prepared images.

    Args:
        images: the prepared images of the cell.
        native, changed: see `choose`.
        calibration: prepared calibration images, if the study has some; else, a study of few
            images gets the mirror images of those that the search doesn't see.
    """
    seen, others = choose(native, changed)
    with prepared.open_file(images) as opened:
        opened.check()
        names = [opened.names[row] for row in seen + others]
        pixels = [opened.pixels(slice(row, row + 1))[0] for row in seen + others]
    more = ""
    if len(native) < FEW and calibration:
        with prepared.open_file(calibration) as opened:
            opened.check()
            added = opened.names[:OTHERS]
            names += [f"calibration: {name}" for name in added]
            pixels += list(opened.pixels(slice(0, len(added))))
            more = f"{len(added)} calibration images"
    elif len(native) < FEW:
        # the search saw what those before are the mirror images of
        first = len(seen) if len(seen) < len(native) else 0
        names += [f"mirrored: {name}" for name in names[first:]]
        pixels += [image[:, ::-1] for image in pixels[first:]]
        more = f"{len(native) - first} mirror images of the study's own"
    return Shots(np.ascontiguousarray(np.stack(pixels)), tuple(names), len(seen), more)
