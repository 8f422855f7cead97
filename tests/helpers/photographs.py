"""Folders of photographs, and what a study lists of them."""

import subprocess
import sys
from pathlib import Path

from deltann.images import listing
from helpers.workspace import ROOT

SCRIPTS = ROOT / "scripts"
CLASSES = 1000
ODD = [
    "two words.png",
    'it\'s "q".png',
    "-rf.png",
    "été 猫.png",
    "$(touch x).png",
    "a,b;c.png",
    "new\nline.png",
    "carriage\rreturn.png",
    "back\\slash.png",
]


def fill(folder: Path, *names: str, labels: str | bytes | None = None) -> Path:
    """Files with these names, each with its name as its content, and a labels file."""
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(name, encoding="utf-8")
    if labels is not None:
        data = labels if isinstance(labels, bytes) else labels.encode()
        (folder / "labels.csv").write_bytes(data)
    return folder


def script(name: str, *arguments: str) -> subprocess.CompletedProcess:
    """Run a stage's program by hand."""
    command = [sys.executable, SCRIPTS / name, *arguments]
    return subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def listed(images: Path, classes: int = CLASSES, **subset) -> dict[str, int]:
    """The labels of a study's photographs, by name, in their order."""
    return {entry.image: entry.label for entry in listing.list_photographs(images, subset, classes)}


NAMES = [f"{number:02d}.png" for number in range(40)]
EXPECTED = ["10.png", "14.png", "24.png", "30.png"]
