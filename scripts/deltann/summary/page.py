"""The summary as a page for a browser, and as the part of it that the report opens on."""

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from io import BytesIO
from pathlib import Path
from string import Template

from markdown_it import MarkdownIt
from PIL import Image

from deltann import registry
from deltann.figures import FIRST_PAGE
from deltann.study import layout

HERE = Path(__file__).parent
# Shown after what the summary says in short, and so many findings with their pictures.
FIRST, SHOWN = "pareto", 3


@dataclass(frozen=True)
class Picture:
    """A figure on the page.

    Attributes:
        figure: its name.
        path: of its PNG.
        finding: the sentence that it shows, or empty.
    """

    figure: str
    path: Path
    finding: str = ""


def page(body: str) -> str:
    """A page that needs no other file.

    Args:
        body: of `body`.
    """
    return _template("page.html").substitute(style=_read("page.css"), body=body)


def part(body: str) -> str:
    """The same as a part of another page: elements of a body, with their style.

    Args:
        body: of `body`.
    """
    return f"<style>\n{_read('page.css')}</style>\n{body}"


def body(text: str, pictures: Sequence[Picture]) -> str:
    """A markdown summary as HTML, with pictures after its first section.

    HTML in the summary, as in an error's message, is escaped; links and images in it are text.
    """
    title, first, rest = text.split("\n\n## ", 2)
    markdown = MarkdownIt("commonmark", {"html": False})
    markdown.disable(["link", "image", "autolink", "reference"])
    return _template("body.html").substitute(
        explorer=layout.EXPLORER,
        start=markdown.render(f"{title}\n\n## {first}"),
        pictures="\n".join(map(_figure, pictures)),
        rest=markdown.render(f"## {rest}"),
    )


def choose(findings: Sequence[Mapping], paths: Mapping[str, Path]) -> list[Picture]:
    """The pictures of a summary: time against agreement, and the strongest findings.

    Args:
        findings: of the record of a summary, the strongest first.
        paths: of the PNGs of the figures that the study has, by the figures' names.

    Returns:
        Each picture once. A finding that none shows has no picture; the next one takes its place.
    """
    free = {name: path for name, path in paths.items() if name != FIRST}
    pictures = [Picture(FIRST, paths[FIRST])] if FIRST in paths else []
    for finding in findings:
        figure = next((name for name in finding["figures"] if name in free), None)
        if figure is not None and len(pictures) <= SHOWN:
            pictures.append(Picture(figure, free.pop(figure), finding["text"]))
    return pictures


def _read(name: str) -> str:
    return (HERE / name).read_text(encoding="utf-8")


def _template(name: str) -> Template:
    return Template(_read(name))


def _figure(picture: Picture) -> str:
    declared = registry.figures()[picture.figure]
    finding = f"<strong>{escape(picture.finding)}.</strong> " if picture.finding else ""
    # the picture itself has a caption, for who sees it
    alt = escape(f"{declared.title} {declared.caption}")
    return (
        f'<figure><img src="{_embedded(picture.path)}" alt="{alt}"><figcaption>{finding}'
        f"All of the figure: {escape(layout.figure(picture.figure, '.pdf'))}.</figcaption></figure>"
    )


def _embedded(path: Path) -> str:
    """The first page of a figure's PNG, as a data URI."""
    with Image.open(path) as whole:
        height = int(whole.info[FIRST_PAGE])
        buffer = BytesIO()
        whole.crop((0, 0, whole.width, height)).save(buffer, format="PNG", optimize=True)
    return f"data:image/png;base64,{base64.b64encode(buffer.getvalue()).decode()}"
