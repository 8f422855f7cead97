"""Pages to files: a PDF of many, and one picture with all of them under each other."""

from io import BytesIO
from pathlib import Path

from matplotlib.backends.backend_pdf import PdfPages
from matplotlib.figure import Figure
from PIL import Image

DPI = 200
# Browsers show no taller picture.
TALLEST = 30_000


def save_pdf(pages: list[Figure], path: Path) -> None:
    """One page each; no date inside, so that the same table gives the same file."""
    with PdfPages(path, metadata={"CreationDate": None}) as file:
        for page in pages:
            file.savefig(page)


def save_png(pages: list[Figure], path: Path) -> None:
    """The pages one under the other, of fewer dots per inch where they are very many."""
    inches = sum(page.get_figheight() for page in pages)
    dpi = min(DPI, TALLEST / inches)
    pictures = []
    for page in pages:
        buffer = BytesIO()
        page.savefig(buffer, format="png", dpi=dpi)
        pictures.append(Image.open(buffer).convert("RGB"))
    width = max(picture.width for picture in pictures)
    whole = Image.new("RGB", (width, sum(picture.height for picture in pictures)), "white")
    top = 0
    for picture in pictures:
        whole.paste(picture, (0, top))
        top += picture.height
    whole.quantize(256, dither=Image.Dither.NONE).save(path, format="PNG", optimize=True)
