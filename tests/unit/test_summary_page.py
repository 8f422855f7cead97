"""The page of the summary: its pictures in order, and nothing in it that isn't the project's."""

import base64
import re
from io import BytesIO

import pytest
from PIL import Image, PngImagePlugin

from deltann import registry
from deltann.figures import FIRST_PAGE
from deltann.summary import page
from helpers.workspace import ROOT

FIRST, SECOND = (10, 20), (10, 30)  # width and height of a figure's pages
TEXT = """# Summary of the study

**Seeded weights, not trained: m.**

## In short

- 2 cells: 1 ran, 1 failed

## Answers

- none

## Failures

- convert, E: <script>alert(1)</script> ![a](http://evil/x.png) [b](http://evil) <http://evil>
"""


@pytest.fixture
def paths(tmp_path):
    """PNGs of two pages each, in the study's way."""
    made = {}
    for name in ("pareto", "inputs", "backends", "conversions", "speedups"):
        chunks = PngImagePlugin.PngInfo()
        chunks.add_text(FIRST_PAGE, str(FIRST[1]))
        whole = Image.new("RGB", (FIRST[0], FIRST[1] + SECOND[1]), "red")
        made[name] = tmp_path / f"{name}.png"
        whole.save(made[name], pnginfo=chunks)
    return made


def found(*figures: tuple[str, ...]) -> list[dict]:
    return [{"text": f"finding {k}", "figures": names} for k, names in enumerate(figures)]


def test_pareto_comes_first_and_each_finding_has_a_picture_of_its_own(paths):
    listed = found(("inputs",), ("backends",), ("backends", "conversions"), ("speedups",))
    chosen = page.choose(listed, paths)
    assert [picture.figure for picture in chosen] == ["pareto", "inputs", "backends", "conversions"]
    assert [picture.finding for picture in chosen] == ["", "finding 0", "finding 1", "finding 2"]


def test_a_finding_without_a_picture_leaves_its_place_to_the_next(paths):
    chosen = page.choose(found(("natives",), ("inputs",), ("inputs",)), paths)
    assert [(picture.figure, picture.finding) for picture in chosen[1:]] == [
        ("inputs", "finding 1")
    ]
    assert page.choose([], {}) == []


def test_the_page_opens_on_the_answer_and_shows_first_pages(paths):
    pictures = page.choose(found(("inputs",)), paths)
    text = page.page(page.body(TEXT, pictures))
    order = ["Seeded weights", "In short", "explorer.html", "<figure>", "finding 0", "Answers"]
    assert sorted(order, key=text.index) == order
    for encoded in re.findall(r'src="data:image/png;base64,([^"]+)"', text):
        assert Image.open(BytesIO(base64.b64decode(encoded))).size == FIRST
    for picture in pictures:
        assert registry.figures()[picture.figure].title.replace("'", "&#x27;") in text
    assert 'href="explorer.html" target="_blank" rel="noopener"' in text


def test_a_foreign_message_is_text_and_loads_nothing(paths):
    hostile = page.Picture("inputs", paths["inputs"], '<img src="http://evil/y.png">')
    for text in (page.page(page.body(TEXT, [hostile])), page.part(page.body(TEXT, [hostile]))):
        assert "<script" not in text and "&lt;script&gt;" in text
        sources = re.findall(r'(?:src|href|action)="([^"]*)"', text)
        assert [name for name in sources if not name.startswith("data:image/png;base64,")] == [
            "explorer.html"
        ]
    assert "default-src 'none'" in page.page("")


def test_the_menu_of_the_report_can_be_read():
    """Its stylesheet gives both colours, 4.5 to 1 apart at least, as WCAG 2.2 asks for."""
    css = (ROOT / "report/report.css").read_text()
    rule = re.search(r"^#app nav {(.+?)}", css, re.MULTILINE)[1]
    pairs = (re.search(rf" {name}: #(\w{{6}})", rule)[1] for name in ("color", "background"))
    light, dark = (sum(luminance(text)) for text in pairs)
    assert (light + 0.05) / (dark + 0.05) > 4.5


def luminance(text: str) -> list[float]:
    """The share of each of red, green and blue in how light a colour is: WCAG's definition."""
    values = [part / 255 for part in bytes.fromhex(text)]
    linear = [v / 12.92 if v <= 0.04045 else ((v + 0.055) / 1.055) ** 2.4 for v in values]
    return [share * v for share, v in zip((0.2126, 0.7152, 0.0722), linear, strict=True)]
