"""Pages to files: a PDF of all, and one picture with the first of them under each other."""

from collections.abc import Iterable
from io import BytesIO
from pathlib import Path

from matplotlib import pyplot as plt
from matplotlib.backends.backend_pdf import PdfPages
from matplotlib.figure import Figure
from PIL import Image

from deltann.figures import style

DPI = 200
TALLEST = 30_000  # pixels: browsers show no taller picture


def save(pages: Iterable[Figure], pdf: Path, png: Path) -> None:
    """Write and close page after page, so that one is in memory at a time.

    The PDF has no date inside: the same table gives the same file. The picture has as many pages
    as browsers show, and says how many more are in the PDF.
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
            plt.close(page)
    if left_out:
        pictures.append(_picture(_note(f"The PDF has {left_out} more pages.")))
    _stacked(pictures).save(png, format="PNG", optimize=True)


def _picture(page: Figure) -> Image.Image:
    """A page as it looks, decoded only once it is used."""
    buffer = BytesIO()
    page.savefig(buffer, format="png", dpi=DPI)
    return Image.open(buffer)


def _note(text: str) -> Figure:
    figure = Figure(figsize=(style.WIDTH, 0.4))
    figure.text(0.01, 0.5, text, va="center", weight="bold")
    return figure


def _stacked(pictures: list[Image.Image]) -> Image.Image:
    """The pictures one under the other, in 256 colours."""
    width = max(picture.width for picture in pictures)
    whole = Image.new("RGB", (width, sum(picture.height for picture in pictures)), "white")
    top = 0
    for picture in pictures:
        whole.paste(picture.convert("RGB"), (0, top))
        top += picture.height
        picture.close()
    return whole.quantize(256, dither=Image.Dither.NONE)
