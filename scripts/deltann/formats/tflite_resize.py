"""Resizing in TFLite, also where its own operator can't do it: nearest neighbours are gathered."""

from fractions import Fraction
from typing import Any

from deltann.edits import Impossible
from deltann.formats.tflite_builder import Builder
from deltann.formats.tflite_shapes import NEAREST

LINEAR = {"asymmetric": (False, False), "half_pixel": (False, True), "align_corners": (True, False)}
HALF = Fraction(1, 2)


def resize(builder: Builder, tensor: int, attributes: dict[str, Any]) -> int:
    """Add what resizes an image.

    Args:
        builder: of the file.
        tensor: (batch, height, width, channels).
        attributes: of `resize` in `deltann.steps`.

    Raises:
        Impossible: cubic or antialiased resizing, or half pixels of PyTorch to a side of 1.
    """
    batch, *sides, channels = builder.file.shapes[tensor]
    size, mode = [int(side) for side in attributes["size"]], attributes["mode"]
    coordinates = attributes.get("coordinates", "half_pixel")
    if mode not in ("linear", "nearest") or attributes.get("antialias"):
        raise Impossible(f"resize: TFLite has no {mode} with {attributes}")
    if coordinates == "pytorch_half_pixel" and mode == "linear" and 1 not in size:
        coordinates = "half_pixel"
    shape = [batch, *size, channels]
    if mode == "linear":
        if coordinates not in LINEAR:
            raise Impossible(f"resize: TFLite has no linear {coordinates}")
        corners, half = LINEAR[coordinates]
        options: dict[str, Any] = {"alignCorners": corners, "halfPixelCenters": half}
        return builder.emit("RESIZE_BILINEAR", [tensor, builder.whole(size)], shape, **options)
    rounding = attributes.get("rounding") or "round_prefer_floor"
    ends = list(zip(sides, size, strict=True))
    wanted = [nearest(*item, coordinates, rounding) for item in ends]
    for (corners, half), words in NEAREST.items():
        if [nearest(*item, *words) for item in ends] == wanted:
            options = {"alignCorners": corners, "halfPixelCenters": half}
            taken = [tensor, builder.whole(size)]
            return builder.emit("RESIZE_NEAREST_NEIGHBOR", taken, shape, **options)
    rows = [batch, size[0], sides[1], channels]
    tensor = builder.emit("GATHER", [tensor, builder.whole(wanted[0])], rows, axis=1)
    return builder.emit("GATHER", [tensor, builder.whole(wanted[1])], shape, axis=2)


def nearest(side: int, size: int, coordinates: str, rounding: str) -> list[int]:
    """For each place of the output along an axis the place that it is taken from.

    Args:
        side, size: of the input and the output.
        coordinates, rounding: as of `resize` in `deltann.steps`.

    Raises:
        Impossible: unknown words.
    """
    places = []
    for place in range(size):
        found = _coordinate(place, side, size, coordinates)
        if rounding == "floor":
            number = found // 1
        elif rounding == "ceil":
            number = -(-found // 1)
        elif rounding == "round_prefer_ceil":
            number = (found + HALF) // 1
        elif rounding == "round_prefer_floor":
            number = -((HALF - found) // 1)
        else:
            raise Impossible(f"resize: unknown rounding {rounding!r}")
        places.append(min(max(int(number), 0), side - 1))
    return places


def _coordinate(place: int, side: int, size: int, coordinates: str) -> Fraction:
    if coordinates == "asymmetric":
        return Fraction(place * side, size)
    if coordinates == "align_corners":
        return Fraction(place * (side - 1), max(size - 1, 1))
    if coordinates == "pytorch_half_pixel" and size == 1:
        return Fraction(0)
    if coordinates in ("half_pixel", "pytorch_half_pixel"):
        return (place + HALF) * Fraction(side, size) - HALF
    raise Impossible(f"resize: unknown coordinates {coordinates!r}")
