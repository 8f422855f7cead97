"""Write pages to files: a PDF of all, and one picture of the first ones below each other."""

from collections.abc import Iterable
from io import BytesIO
from pathlib import Path

from matplotlib.backends.backend_pdf import PdfPages
from matplotlib.figure import Figure
from PIL import Image, PngImagePlugin

from deltann.figures import FIRST_PAGE, style

DPI = 200
TALLEST = 30_000  # pixels: browsers show no taller picture


def save(pages: Iterable[Figure], pdf: Path, png: Path) -> None:
    """Write and clear one page after the other, so that only one is in memory.

    The PDF has no date in it, so the same table gives the same file. The picture has as many pages
    as browsers can show, and says how many more the PDF has.
    """
    pictures: list[Image.Image] = []
    height = left_out = 0
    with PdfPages(pdf, metadata={"CreationDate": None}) as file:
        for page in pages:
            file.savefig(page)
            height += round(page.get_figheight() * DPI)
            if height > TALLEST:
                left_out += 1
            else:
                pictures.append(_picture(page))
            page.clear()
    if left_out:
        pictures.append(_picture(_note(f"The PDF has {left_out} more pages.")))
    chunks = PngImagePlugin.PngInfo()
    chunks.add_text(FIRST_PAGE, str(pictures[0].height))
    _stacked(pictures).save(png, format="PNG", optimize=True, pnginfo=chunks)


def _picture(page: Figure) -> Image.Image:
    """A page as a picture, which is decoded on use."""
    buffer = BytesIO()
    page.savefig(buffer, format="png", dpi=DPI)
    return Image.open(buffer)


def _note(text: str) -> Figure:
    figure = Figure(figsize=(style.WIDTH, 0.4))
    figure.text(0.01, 0.5, text, va="center", weight="bold")
    return figure


def _stacked(pictures: list[Image.Image]) -> Image.Image:
    """The pictures one below the other, in 256 colours."""
    width = max(picture.width for picture in pictures)
    whole = Image.new("RGB", (width, sum(picture.height for picture in pictures)), "white")
    top = 0
    for picture in pictures:
        whole.paste(picture.convert("RGB"), (0, top))
        top += picture.height
        picture.close()
    return whole.quantize(256, dither=Image.Dither.NONE)
