"""The page of an archived study for people: its files, and how they were made.

The `rocrate` library's own page has a fixed template, which lists the files only and escapes
nothing.
"""

import json
from pathlib import Path

import jinja2

from deltann.archive.history import History
from deltann.study import layout

TEMPLATE = Path(__file__).with_suffix(".html")
# What to look at first.
RESULTS = {
    layout.SUMMARY_PAGE: "the results",
    layout.REPORT: "the same with every figure and table",
    layout.EXPLORER: "every cell, and the images on which cells disagree",
    layout.DATASET: "the dataset, for xarray",
    layout.CONFIG: "the config",
}
# The number of sources that a file's row names.
SHOWN_SOURCES = 10


def page(history: History, metadata: dict) -> str:
    """The page, HTML.

    Args:
        history: of the study.
        metadata: the crate's JSON-LD.
    """
    described = [
        item | {"sources": history.sources.get(item["name"], [])}
        for item in metadata["@graph"]
        if item["@type"] == "File"
    ]
    names = {item["name"] for item in described}
    template = jinja2.Environment(autoescape=True).from_string(TEMPLATE.read_text(encoding="utf-8"))
    return template.render(
        name=history.config["study"],
        folder=layout.study(history.config["study"]),
        history=history,
        results=[(path, what) for path, what in RESULTS.items() if path in names],
        machines=[json.loads(text) for text in history.machines],
        config=json.dumps(history.config, indent=2, ensure_ascii=False),
        files=described,
        shown=SHOWN_SOURCES,
    )
