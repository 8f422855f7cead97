"""One self-contained HTML file: cells, answers and thumbnails as JSON, style and scripts."""

from collections.abc import Callable, Mapping, Sequence
from html import escape
from pathlib import Path
from string import Template

import pandas as pd
import xarray as xr

from deltann.explorer import answers, cells, libraries, thumbnails
from deltann.explorer.answers import Entry, Found, to_json

HERE = Path(__file__).parent
# The page's own script, in the order in which its parts are read.
PARTS = ("groups", "parts", "images", "table", "keys", "plots", "detail", "main")
PLOTS = ("heatmap", "pareto")
# Bytes of the page, so that browsers stay quick.
LIMIT = 20_000_000


def page(
    dataset: xr.Dataset,
    tables: Mapping[str, pd.DataFrame],
    draw: Callable[[str], str],
    explainable: cells.Explainable,
    scripts: Sequence[str],
    limit: int = LIMIT,
) -> str:
    """The explorer.

    Args:
        dataset: the study dataset.
        tables: those named `precision` and `pareto`, of the same study.
        draw: gives an image's thumbnail in base64, by the image's name.
        explainable: which cells can be explained.
        scripts: the libraries, from `libraries.scripts`.
        limit: bytes. If not every image fits, those on which the fewest cells disagree are left
            out, and the page says how many.

    Raises:
        ValueError: the limit is too low for the page without any image, or a table is of another
            study.
        StudyError: an image has no thumbnail.
    """
    described = cells.described(dataset, tables, explainable)
    found = answers.collect(dataset, limit)
    filler = _Filler(dataset, described, explainable.study, scripts)
    # the statement on left out images is longest if all are left out
    room = limit - len(filler.fill(Found([], [], found.total), {}))
    pictures: dict[str, str] = {}
    shown: list[Entry] = []
    # the closest calls are few, and the models that have them have nothing else
    for entry in [*found.closest, *found.disagreements]:
        picture = pictures.get(entry.name) or draw(entry.name)
        room -= len(entry.text) + len(picture) + len(to_json(entry.name)) + len(',"":"",')
        if room < 0:
            break
        pictures[entry.name] = picture
        shown.append(entry)
    few = len(found.closest)
    text = filler.fill(Found(shown[few:], shown[:few], found.total), pictures)
    size = len(text.encode())
    if size > limit:
        raise ValueError(f"an explorer of {size} bytes; expected at most {limit}")
    return text


class _Filler:
    """Puts the page's parts into its template; the parts without images are made once."""

    def __init__(
        self, dataset: xr.Dataset, described: dict, study: str, scripts: Sequence[str]
    ) -> None:
        self._dataset = dataset
        self._study = study
        names = dataset["class_name"].values.tolist() if "class_name" in dataset else []
        plots = {name: f"script/{name}.json" for name in PLOTS}
        self._data = {
            "cells": to_json(described),
            "classes": to_json(names),
            "type": to_json(thumbnails.TYPE),
            "side": to_json(thumbnails.SIDE),
            "plots": "{"
            + ",".join(f'"{name}":{_read(path)}' for name, path in plots.items())
            + "}",
        }
        own = "\n".join(_read(f"script/{part}.js") for part in PARTS)
        elements = [libraries.element(script) for script in [*scripts, f'"use strict";\n{own}']]
        self._scripts = "\n".join(element for element, _ in elements)
        self._sources = " ".join(source for _, source in elements)
        self._style = _read("page.css")
        self._template = Template(_read("page.html"))

    def fill(self, found: Found, pictures: Mapping[str, str]) -> str:
        """The page with these images."""
        data = self._data | {
            "thumbnails": to_json(pictures),
            "disagreements": f"[{','.join(entry.text for entry in found.disagreements)}]",
            "closest": f"[{','.join(entry.text for entry in found.closest)}]",
        }
        lines = facts(self._dataset, len(found.disagreements), found.total)
        return self._template.substitute(
            study=escape(self._study),
            style=self._style,
            scripts=self._scripts,
            sources=self._sources,
            facts="\n".join(f"<p>{escape(line)}</p>" for line in lines),
            data="{" + ",\n".join(f'"{key}":{value}' for key, value in data.items()) + "}",
        )


def _read(name: str) -> str:
    return (HERE / name).read_text(encoding="utf-8")


def facts(dataset: xr.Dataset, shown: int, total: int) -> list[str]:
    """What the study has and what the page leaves out: lines of one or more sentences.

    Args:
        dataset: the study dataset.
        shown: number of images with disagreements on the page.
        total: that of the study.
    """
    status = dataset["status"].values
    failed = int((status != "ok").sum())
    disturbed = int(dataset["disturbed"].values.sum())
    lines = [
        f"{_count(status.size, 'cell')}: {status.size - failed} ran, {failed} failed; "
        f"{disturbed} disturbed while timed. {_count(dataset.sizes['image'], 'image')}: cells of "
        f"the same model disagree about the most probable class of {total}."
    ]
    left_out = total - shown
    if left_out:
        which = f"the {_count(shown, 'image')} on which the most cells disagree"
        lines.append(
            f"Left out: {_count(left_out, 'image')} of these. The page's size is limited; it shows "
            f"{which if shown else 'none'}. The answers to the others are in the study "
            'dataset: xarray.open_dataset("study.nc").label.sel(image=...)[:, 0]'
        )
    return lines


def _count(number: int, word: str) -> str:
    return f"{number} {word}" if number == 1 else f"{number} {word}s"
