"""What a config declares of the images that a user's model takes: its key `input`.

`declared` is valid by the schema and has its defaults.
"""

from dataclasses import asdict

from deltann.errors import StudyError, check_known
from deltann.images.conventions import CONVENTIONS
from deltann.images.preprocessing import GRAY, Preprocessing


def check(key: str, declared: dict) -> None:
    """Check what the schema can't: names, a number for each channel, and that the crop fits.

    Args:
        key: that of `declared` in the config.
        declared: the mapping.

    Raises:
        StudyError: naming the key, the value, and what was expected.
    """
    if "convention" in declared:
        check_known(f"{key}.convention", declared["convention"], list(CONVENTIONS), "convention")
    else:
        _check_channels(key, declared)
    longest = max(size(declared))
    if declared.get("resize", longest) < longest:
        raise StudyError(
            f"config key {key}.resize: {declared['resize']}; expected at least {longest}: the crop "
            "of a square photograph needs so much"
        )


def _check_channels(key: str, declared: dict) -> None:
    channels = declared["channels"]
    expected, entries = (1, "1 entry") if channels == GRAY else (3, "3 entries")
    for name in ("mean", "std"):
        if len(declared[name]) != expected:
            raise StudyError(
                f"config key {key}.{name}: {declared[name]!r}; expected a list of {entries}, "
                f"for channels {channels}"
            )


def size(declared: dict) -> tuple[int, int]:
    """The height and width."""
    sides = declared["size"]
    height, width = sides if isinstance(sides, list) else (sides, sides)
    return height, width


def preprocessing(declared: dict, classes: int, background: int) -> Preprocessing:
    """The declared preprocessing of a model with so many classes."""
    values = asdict(CONVENTIONS[declared["convention"]]) if "convention" in declared else declared
    return Preprocessing(
        resize=declared.get("resize"),
        crop=size(declared),
        interpolation=declared["interpolation"],
        channels=values["channels"],
        mean=tuple(values["mean"]),
        std=tuple(values["std"]),
        classes=classes,
        background=background,
    )
