"""Every figure draws a study with everything and one with nothing, and names what tells apart."""

import re

import pandas as pd
import pytest
from PIL import Image

from deltann import figures, registry
from deltann.tables import compute, variant_names
from deltann.tables.study import Study
from helpers.made_up_cells import NATIVE, failed, many, study


@pytest.fixture(scope="module")
def drawn_tables(tmp_path_factory):
    """Every table of two studies, as CSV, in a folder each."""
    folders = []
    for make in (many, lambda folder: study(folder, [failed(NATIVE)])):
        folders.append(tmp_path_factory.mktemp("tables"))
        with make(folders[-1]) as dataset:
            cells = Study(dataset)
            for name in registry.tables():
                compute.table(name, cells).to_csv(folders[-1] / f"{name}.csv", index=False)
    return folders


@pytest.mark.parametrize("name", registry.figures())
def test_figures_draw_a_wide_study_and_a_bare_one(name, drawn_tables, tmp_path):
    from deltann.figures import output, style

    style.use()
    module = figures.get(name)
    for folder in drawn_tables:
        table = pd.read_csv(folder / f"{module.TABLE}.csv")
        drawn = counted(module.draw(table))
        output.save(drawn, tmp_path / "figure.pdf", tmp_path / "figure.png")
        assert pages_of(tmp_path / "figure.pdf") == len(drawn.heights) > 0
        assert max(drawn.heights) < 10


class counted:
    """Pages, whose heights in inches are kept as they are drawn."""

    def __init__(self, pages):
        self.pages, self.heights = pages, []

    def __iter__(self):
        for page in self.pages:
            self.heights.append(page.get_figheight())
            yield page


def pages_of(pdf):
    """How many pages a PDF has."""
    return len(re.findall(rb"/Type /Page\b(?!s)", pdf.read_bytes()))


def test_a_figure_of_very_many_models_has_further_pages_in_its_pdf(
    drawn_tables, tmp_path, monkeypatch
):
    from deltann.figures import anova, output, style

    style.use()
    monkeypatch.setattr(output, "TALLEST", 8_000)
    one = pd.read_csv(drawn_tables[0] / "anova.csv")
    table = pd.concat(one.assign(model=one["model"] + f"-{copy}") for copy in range(24))
    drawn = []

    def pages():
        for page in anova.draw(table):
            assert page.get_figheight() < 13 and page.axes
            drawn.append(page)
            yield page
            assert not page.axes  # freed before the next one is drawn

    output.save(pages(), tmp_path / "figure.pdf", tmp_path / "figure.png")
    assert pages_of(tmp_path / "figure.pdf") == len(drawn) > 4
    with Image.open(tmp_path / "figure.png") as picture:
        assert 0.8 < picture.height / output.TALLEST < 1.01


def test_labels_say_what_there_is_several_of_and_no_more(tmp_path):
    one = pd.DataFrame({"model": "m", "source": "s", "target": ["t"], "route": ["a+b"]})
    assert variant_names.Variants(one).line(one.iloc[0]) == "t"
    two = pd.concat([one.assign(importer="direct"), one.assign(route="a+x+b", importer="none")])
    assert [variant_names.Variants(two).line(row) for _, row in two.iterrows()] == [
        "t",
        "t (x)",
    ]
    one_of_two = pd.concat([two, two.assign(route="c")])
    names = [variant_names.Variants(one_of_two).route(row) for _, row in one_of_two.iterrows()]
    assert names == ["a + b", "a + x + b", "c", "c"]
    imports = pd.concat([one.assign(importer=name) for name in ("none", "direct", "y")])
    lines = [variant_names.Variants(imports).line(row) for _, row in imports.iterrows()]
    assert lines == ["t", "t (import: direct)", "t (import: y)"]


def test_a_level_that_failed_is_hatched_beside_the_published_one(drawn_tables):
    from deltann.figures import published

    columns = ["status", "failed_stage", "device"]
    table = pd.read_csv(drawn_tables[0] / "published.csv", dtype=dict.fromkeys(columns, "object"))
    first = table["published_model"] == table["published_model"].iloc[0]
    table.loc[first, columns] = ["failed", "compile", "cpu"]
    (page,) = published.draw(table)
    said = [text.get_text() for axes in page.axes for text in axes.texts]
    assert "compile failed" in said
