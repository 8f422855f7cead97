"""What tests of the explorer do and read on its page, in a browser."""

from contextlib import suppress

from selenium.common import TimeoutException
from selenium.webdriver.support.wait import WebDriverWait

# The paths of the cells in the table, in its order; an expression of JavaScript.
ROWS = """[...document.querySelectorAll('#cells tbody a')]
  .map((link) => decodeURIComponent(link.hash.slice('#cell='.length)))"""


def rows(page) -> list[str]:
    """The paths of the cells in the table, in its order."""
    return page.run(ROWS)


def wait_for_rows(page, *cells) -> None:
    """Wait until the table has these cells, in this order: it is drawn after a key or a click."""
    with suppress(TimeoutException):  # the assertion says more
        WebDriverWait(page.driver, 10, 0.05).until(lambda _: rows(page) == paths(*cells))
    assert rows(page) == paths(*cells)


def marks(page) -> tuple[int, int]:
    """The numbers of the heat map's tiles and of the other plot's marks."""
    tiles = "#heatmap .mark-rect.role-mark path", "#pareto .mark-symbol.role-mark path"
    return tuple(len(page.all(selector)) for selector in tiles)


def pairs(page, selector: str) -> dict[str, str]:
    """The rows of a table of two columns."""
    heads, values = (page.texts(f"{selector} {tag}") for tag in ("th", "td"))
    return dict(zip(heads, values, strict=True))


def choose(page, control: str, value: str) -> None:
    """Choose an option as a user does."""
    page.first(f"select[name={control}] option[value='{value}']").click()


def paths(*cells) -> list[str]:
    return [str(cell) for cell in cells]


def explain(cell) -> str:
    """The command for the page that explains a cell."""
    page = f"results/odd/explain/{cell}.html"
    return f".venv/bin/snakemake --cores all {page} --configfile results/odd/config.json"


def open_cell(page, cell) -> None:
    """Click a cell in the table, and wait until it is shown."""
    page.first(f"#cells a[href$='{str(cell).replace('/', '%2F')}']").click()
    page.wait(f"document.querySelector('#detail .path')?.textContent === '{cell}'")


def close_cell(page) -> None:
    """Click the button that closes a cell, and wait until no row is marked any more."""
    page.first("#close").click()
    page.wait(
        "!document.querySelector('#detail').open && !document.querySelector('#cells .chosen')"
    )
