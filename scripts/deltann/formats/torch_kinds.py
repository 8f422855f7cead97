"""What a PyTorch file is, found out without PyTorch and without opening a pickle."""

import pickletools
import zipfile
from pathlib import Path
from typing import IO

from deltann.errors import StudyError

PROGRAM, SCRIPT, PICKLE = "ExportedProgram", "TorchScript", "pickle"
# How many pickles a file of PyTorch before 1.6 has; the last one is the object.
LEGACY_PICKLES = 4
# The packages whose names a pickle of weights has.
PACKAGES_OF_WEIGHTS = ("torch", "collections", "numpy", "_codecs")
NETWORKS = "torch.nn.modules."
HARMLESS = {"__builtin__.set", "builtins.set"}


def kind(path: Path) -> str:
    """`PROGRAM`, `SCRIPT` or `PICKLE`.

    Raises:
        StudyError: it is none of them.
    """
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            names = {name.split("/", 1)[-1] for name in archive.namelist()}
        if "archive_format" in names or "serialized_exported_program.json" in names:
            return PROGRAM
        if "constants.pkl" in names:
            return SCRIPT
        if "data.pkl" in names:
            return PICKLE
    elif path.read_bytes()[:1] == b"\x80":
        return PICKLE
    raise StudyError("expected a file by torch.export.save, torch.jit.save or torch.save")


def check_model(path: Path, shape: tuple[int, ...]) -> None:
    """Check that a file is a model that loads without pickle.

    Args:
        path: the file.
        shape: of the model's input, for the message.

    Raises:
        StudyError: saying what it is, and what to do.
    """
    if kind(path) != PICKLE:
        return
    if foreign := foreign_names(path):
        raise StudyError(
            f"{_danger(foreign)}; expected the file of torch.export.save("
            f"torch.export.export(model.eval(), (torch.zeros{shape},)), 'model.pt2')"
        )
    raise StudyError(
        "it has only weights; expected, in place of file, code: {file: net.py, function: build},"
        f" whose function returns the network, and weights: {{torch: {str(path)!r}}}"
    )


def check_weights(path: Path) -> None:
    """Check that a file of weights loads without pickle.

    Raises:
        StudyError: saying what it is, and what to do.
    """
    found = kind(path)
    if found != PICKLE:
        raise StudyError(
            f"it is a whole model ({found}); expected a file of weights, by"
            " torch.save(model.state_dict(), 'net.pth')"
        )
    if foreign := foreign_names(path):
        raise StudyError(unsafe(foreign))


def unsafe(names: list[str]) -> str:
    """The message about a file of weights that has other objects, of these classes or functions."""
    return f"{_danger(names)}; expected weights alone, by torch.save(model.state_dict(), 'net.pth')"


def foreign_names(path: Path) -> list[str]:
    """The classes and functions that a pickle names and that weights don't need, sorted."""
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            (name,) = (item for item in archive.namelist() if item.endswith("/data.pkl"))
            with archive.open(name) as content:
                names = _named(content, 1)
    else:
        with path.open("rb") as content:
            names = _named(content, LEGACY_PICKLES)
    names -= HARMLESS
    others = {name for name in names if name.split(".")[0] not in PACKAGES_OF_WEIGHTS}
    # a module of the user's own says more than PyTorch's inside it
    return sorted(others or {name for name in names if name.startswith(NETWORKS)})


def _named(content: IO[bytes], pickles: int) -> set[str]:
    """What the pickles in a stream name, as `package.name`; the opcodes are read, not run."""
    names, texts = set(), ["", ""]
    try:
        for _ in range(pickles):
            for opcode, argument, _ in pickletools.genops(content):
                if opcode.name == "GLOBAL":
                    names.add(str(argument).replace(" ", "."))
                elif opcode.name == "STACK_GLOBAL":
                    names.add(".".join(texts))
                elif isinstance(argument, str):
                    texts = [texts[-1], argument]
    except ValueError as error:
        raise StudyError(f"it isn't a whole file of torch.save: {error}") from error
    return names


def _danger(names: list[str]) -> str:
    some = ", ".join(names[:3]) + (", …" if len(names) > 3 else "")
    return (
        f"it is a pickle of Python objects ({some}), which can run any code when it is opened, so"
        " the study doesn't open it"
    )
