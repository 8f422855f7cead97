"""The explorer's data and its page, on small made-up studies; tests/workflow opens it."""

import base64
import hashlib
import io
import json
import re
from html.parser import HTMLParser

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from deltann.explorer import answers, libraries, page
from deltann.explorer.cells import Explainable, described
from deltann.tables import compute
from deltann.tables.study import Study
from helpers.explored import disagreeing, ran, study
from helpers.made_up_cells import CLASSES, cell, failed

NASTY = [
    '</script><script>alert("1")</script>',
    "a'b\"c&amp;]]><!--",
    "two\nlines",
    "é ☃ 😀 \\u0041",
]
EXPLAINABLE = Explainable("results/my study")
SCRIPT = 'window.made = "</script><!--";'


def tables(dataset: xr.Dataset) -> dict[str, pd.DataFrame]:
    """The tables that the page reads, as they come from their files."""
    made = {name: compute.table(name, Study(dataset)) for name in ("precision", "pareto")}
    return {
        name: pd.read_csv(io.StringIO(table.to_csv(index=False))) for name, table in made.items()
    }


def made(dataset: xr.Dataset, draw=str, **changes) -> str:
    """The page, with a script in place of the libraries."""
    return page.page(dataset, tables(dataset), draw, EXPLAINABLE, [SCRIPT], **changes)


class Read(HTMLParser):
    """What a browser sees: the scripts, the texts of paragraphs in the head, the policy."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.scripts: list[str] = []
        self.paragraphs: list[str] = []
        self.policy = ""
        self._tag = ""
        self.feed(text)
        self.data = json.loads(self.scripts[0])

    def handle_starttag(self, tag: str, attributes: list) -> None:
        self._tag = tag
        if tag == "script":
            self.scripts.append("")
        if dict(attributes).get("http-equiv") == "Content-Security-Policy":
            self.policy = dict(attributes)["content"]

    def handle_endtag(self, tag: str) -> None:
        self._tag = ""

    def handle_data(self, text: str) -> None:
        if self._tag == "script":
            self.scripts[-1] += text
        if self._tag == "p":
            self.paragraphs.append(text)

    @property
    def cells(self) -> list[dict]:
        """The rows of the table, by field."""
        found = self.data["cells"]
        return [dict(zip(found["fields"], row, strict=True)) for row in found["rows"]]


@pytest.fixture(scope="module")
def sample(tmp_path_factory):
    return disagreeing(tmp_path_factory.mktemp("disagreeing"))


def test_cells_have_what_the_tables_say_and_their_record_once(sample):
    found = described(sample, tables(sample), EXPLAINABLE)
    rows = [dict(zip(found["fields"], row, strict=True)) for row in found["rows"]]
    assert [row["cell_name"] for row in rows] == sample["cell_name"].values.tolist()
    assert [row["reference"] for row in rows] == [0, 0, 0, 0, 4, 4, 4]
    assert [(row["n"], row["differing"]) for row in rows[:4]] == [(4, 0)] * 2 + [
        (4, 2),
        (None,) * 2,
    ]
    assert (rows[3]["status"], rows[3]["error_message"]) == ("failed", "no such layer")
    model_file = found["record_names"].index("model_file")
    assert found["records"][model_file] == ["native", "O0", "O2"]
    assert [row["record"][model_file] for row in rows] == [0, 1, 2, -1, 0, 1, 2]


def test_all_cells_with_answers_but_native_ones_have_a_command(sample):
    found = described(sample, tables(sample), EXPLAINABLE)
    explained = [row[found["fields"].index("explain")] for row in found["rows"]]
    assert [bool(target) for target in explained] == [False, True, True, False, False, True, True]
    before, after = found["explain_command"]
    path = "m/torch/torch/unconverted/source/pillow/direct/tvm/rules/O0/cpu"
    assert before + explained[1] + after == (
        f".venv/bin/snakemake --cores all 'results/my study/explain/{path}.html'"
        " --configfile 'results/my study/config.json'"
    )


def test_tables_of_another_study_are_refused(sample):
    other = {name: table[:3] for name, table in tables(sample).items()}
    with pytest.raises(ValueError, match="table precision: 3 rows; expected 7, one per cell"):
        described(sample, other, EXPLAINABLE)


def test_page_of_no_disagreement_has_the_closest_calls(tmp_path):
    cells = [ran(cell("torch"), [1, 1], [0.5, 0.25]), failed(cell("keras"))]
    read = Read(made(study(tmp_path, cells)))
    assert read.data["disagreements"] == []
    assert [entry["name"] for entry in read.data["closest"]] == ["1.jpg", "0.jpg"]
    assert read.data["thumbnails"] == {"0.jpg": "0.jpg", "1.jpg": "1.jpg"}
    (facts,) = read.paragraphs[:1]
    assert "2 cells: 1 ran, 1 failed; 0 disturbed" in facts and facts.endswith("class of 0.")


def test_page_of_a_study_without_any_image(tmp_path):
    read = Read(made(study(tmp_path, [failed(cell("keras"))])))
    assert read.data["closest"] == [] and "0 images" in read.paragraphs[0]


def test_names_are_text_whatever_they_hold(tmp_path):
    names = {"image": np.array(NASTY, object)}
    cells = [ran(cell("torch"), [1] * 4, **names), ran(cell("torch", "O0"), [2] * 4, **names)]
    dataset = study(tmp_path, cells, [*NASTY, *map(str, range(CLASSES - 4))])
    read = Read(made(dataset))
    assert [entry["name"] for entry in read.data["disagreements"]] == NASTY
    assert read.data["classes"][:4] == NASTY
    # the data, the library, the page's own: nothing in one ended it
    assert len(read.scripts) == 3
    for script in read.scripts[1:]:
        digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
        assert f"'sha256-{digest}'" in read.policy
    assert "default-src 'none'" in read.policy and "unsafe-eval" not in read.policy
    assert "unsafe" not in read.policy.split("script-src")[1]
    assert made(dataset) == made(dataset)


def test_a_study_without_names_of_classes_has_none(sample):
    assert not any(Read(made(sample)).data["classes"])


def test_what_does_not_fit_is_left_out_and_said(tmp_path):
    labels = np.zeros(40, int)
    cells = [ran(cell("torch"), labels)]
    for number, backend in enumerate(("O0", "O2", "O4")):
        other = labels + (np.arange(40) % 4 > number)
        cells.append(ran(cell("torch", backend), other, true_label=labels))
    dataset = study(tmp_path, cells)
    whole = made(dataset, lambda name: "x" * 300)
    limit = len(whole.encode()) - 5000
    text = made(dataset, lambda name: "x" * 300, limit=limit)
    assert limit - 1000 < len(text.encode()) <= limit
    entries, all_entries = (Read(one).data["disagreements"] for one in (text, whole))
    assert len(entries) == len(Read(text).data["thumbnails"]) < len(all_entries) == 30
    assert all_entries[: len(entries)] == entries
    assert f"Left out: {30 - len(entries)} images of these." in Read(text).paragraphs[1]
    assert f"the {len(entries)} images on which the most cells disagree" in Read(text).paragraphs[1]


def test_text_alone_may_be_too_much(sample):
    first = answers.collect(sample, 10_000).disagreements[0]
    found = answers.collect(sample, len(first.text) + 10)
    assert ([entry.name for entry in found.disagreements], found.total) == (["2.jpg"], 3)
    with pytest.raises(ValueError, match="expected at most 1000"):
        made(sample, limit=1000)


def test_a_module_becomes_a_classic_script():
    script = libraries.as_classic("var a=1;export{a as x,a as default};/* end */", "Made")
    assert "export" not in script and "window.Made=a;" in script and "/* end */" in script
    for module in ("var a=1;", "export{a as x};", "export{a as default};export{b as default};"):
        with pytest.raises(ValueError, match="expected one, with a default"):
            libraries.as_classic(module, "Made")


def test_a_script_that_a_browser_would_change_is_refused():
    for text in ("a\r\nb", "a\0b"):
        with pytest.raises(ValueError, match="carriage return or a NUL"):
            libraries.element(text)


def test_the_licences_name_their_libraries():
    text = libraries.LICENCES.read_text(encoding="utf-8")
    for name in ("DataTables", "jQuery", "JSZip", "itables", "Vega-Lite", "D3", "vl-convert"):
        assert re.search(rf"\b{name}\b", text), name
    assert "*/" not in text
