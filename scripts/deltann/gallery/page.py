"""One self-contained XHTML file: the answers as JSON, thumbnails, style and script.

It isn't HTML because Snakemake's report embeds HTML as a data URI, and browsers limit these to two
megabytes. Files of other types are downloads of any size.
"""

from collections.abc import Callable, Sequence
from html import escape
from pathlib import Path
from string import Template

import xarray as xr

from deltann.cell import NAMES
from deltann.gallery import answers, thumbnails
from deltann.gallery.answers import Entry, to_json

HERE = Path(__file__).parent
# Bytes of the page, so that browsers stay quick and a report can hold it.
LIMIT = 20_000_000


def page(
    dataset: xr.Dataset,
    draw: Callable[[str], str],
    limit: int = LIMIT,
    class_names: Sequence[str] = (),
) -> str:
    """The gallery.

    Args:
        dataset: the study dataset.
        draw: gives an image's thumbnail in base64, by the image's name.
        limit: bytes. If not every image fits, those on which the fewest cells disagree are left
            out, and the page says how many.
        class_names: the classes as people read them, in their order; empty if they have no names.

    Raises:
        ValueError: the limit is too low for the page without any image.
        StudyError: an image has no thumbnail.
    """
    entries, total = answers.collect(dataset, limit)
    # the statement on left out images is longest if all are left out
    room = limit - len(_fill(dataset, [], [], total, class_names))
    pictures: list[str] = []
    for entry in entries:
        picture = draw(entry.name)
        room -= len(entry.text) + len(picture) + len(',"",')
        if room < 0:
            break
        pictures.append(picture)
    text = _fill(dataset, entries[: len(pictures)], pictures, total, class_names)
    size = len(text.encode())
    if size > limit:
        raise ValueError(f"a gallery of {size} bytes; expected at most {limit}")
    return text


def _fill(
    dataset: xr.Dataset,
    entries: list[Entry],
    pictures: list[str],
    total: int,
    class_names: Sequence[str],
) -> str:
    """The page with these entries."""
    rows = zip(*(dataset[name].values.tolist() for name in NAMES), strict=True)
    parts = {
        "names": to_json(NAMES),
        "cells": to_json(list(rows)),
        "classes": to_json(list(class_names)),
        "type": to_json(thumbnails.TYPE),
        "side": to_json(thumbnails.SIDE),
        "thumbnails": to_json(pictures),
        "entries": f"[{','.join(entry.text for entry in entries)}]",
    }
    return Template(_read("page.xhtml")).substitute(
        style=_read("page.css"),
        script=_read("page.js"),
        facts="\n".join(f"<p>{escape(line)}</p>" for line in facts(dataset, entries, total)),
        data="{" + ",".join(f'"{key}":{value}' for key, value in parts.items()) + "}",
    )


def _read(name: str) -> str:
    return (HERE / name).read_text(encoding="utf-8")


def facts(dataset: xr.Dataset, entries: list[Entry], total: int) -> list[str]:
    """What the page shows and what it leaves out: lines of one or more sentences."""
    status = dataset["status"].values
    failed = int((status != "ok").sum())
    images = dataset.sizes["image"]
    lines = [
        f"{_count(status.size, 'cell')}: {status.size - failed} answered, {failed} failed and "
        "have no answers here.",
        f"{_count(images, 'image')}: cells of the same model disagree about the most probable "
        f"class of {total}.",
    ]
    left_out = total - len(entries)
    if left_out:
        shown = f"the {_count(len(entries), 'image')} on which the most cells disagree"
        lines.append(
            f"Left out: {_count(left_out, 'image')} of these. The page's size is limited; it shows "
            f"{shown if entries else 'none'}. The answers to the others are in the study "
            'dataset: xarray.open_dataset("study.nc").label.sel(image=...)[:, 0]'
        )
    return lines


def _count(number: int, word: str) -> str:
    return f"{number} {word}" if number == 1 else f"{number} {word}s"
