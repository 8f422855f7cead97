"""The additions that docs/extending.md shows, read from its text."""

import re
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "extending.md"
SECTION = re.compile(r"^## (?P<title>.+)\n(?P<text>(?:(?!^## ).*\n)*)", re.MULTILINE)
BLOCK = re.compile(r"^```(?P<language>\w+)\n(?P<content>.*?)^```$", re.MULTILINE | re.DOTALL)


def sections() -> dict[str, str]:
    """The text of each section of the page, by its title."""
    return {found["title"]: found["text"] for found in SECTION.finditer(PAGE.read_text("utf-8"))}


def blocks(text: str, language: str) -> list[str]:
    """The code blocks of a text in one language."""
    return [found["content"] for found in BLOCK.finditer(text) if found["language"] == language]


def diffs() -> dict[str, str]:
    """The diffs of each section that has one, joined, by the section's title."""
    found = {title: "".join(blocks(text, "diff")) for title, text in sections().items()}
    return {title: diff for title, diff in found.items() if diff}


def touched(diff: str) -> list[str]:
    """The files that a diff changes or adds."""
    return re.findall(r"^\+\+\+ b/(.+)$", diff, re.MULTILINE)


def changes() -> dict:
    """What the study at the page's end changes in the default config."""
    (block,) = blocks(sections()["All of them in one study"], "yaml")
    return yaml.safe_load(block)
