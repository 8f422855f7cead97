"""The registry of tables and figures: what modules declare, and what it refuses."""

import pytest

from deltann import figures, registry
from deltann.errors import StudyError

TABLE = 'CATEGORY = "Time"\nTITLE = "Seconds"\nCAPTION = "Seconds " "per image."\n'


@pytest.fixture
def package(tmp_path):
    """A package with a table, a figure, and a helper module in each room."""
    modules = {
        "tables/__init__": '"""Tables."""',
        "tables/seconds": TABLE + "import a_library_that_nobody_has",
        "tables/shared": "SEED = 0\n",
        "figures/__init__": "",
        "figures/seconds": 'TABLE = "seconds"\nTITLE = "Bars"\nCAPTION = "Bars."\n',
        "figures/style": "WIDTH = 2 * 3.6\n",
    }
    for name, text in modules.items():
        path = tmp_path / f"{name}.py"
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    return tmp_path


def test_a_module_is_all_it_takes(package):
    (package / "tables/bytes.py").write_text(TABLE + 'MARKDOWN = True\nNEEDS = "devices"\n')
    bars = 'TABLE = "bytes"\nTITLE = "Bytes?"\nCAPTION = "Bytes as bars."\n'
    (package / "figures/bars.py").write_text(bars)
    tables, drawn = registry.tables(package), registry.figures(package)
    assert list(tables) == ["bytes", "seconds"] and list(drawn) == ["bars", "seconds"]
    assert tables["bytes"].markdown and not tables["seconds"].markdown
    assert tables["seconds"].caption == "Seconds per image."
    assert tables["seconds"].module == "deltann.tables.seconds"
    assert (drawn["bars"].table, drawn["bars"].category) == ("bytes", "Time")
    assert drawn["bars"].title == "Bytes?" and drawn["bars"].needs == "devices"
    assert drawn["seconds"].needs == ""
    (package / "figures/own.py").write_text(bars + 'NEEDS = "levels"\n')
    registry.figures.cache_clear()
    assert registry.figures(package)["own"].needs == "levels"


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        (
            "tables/seconds",
            'CATEGORY = "Tim"\n',
            "CATEGORY is 'Tim'; expected one of Answers, Time",
        ),
        ("tables/seconds", 'CATEGORY = "Time"\n', "TITLE is None; expected the text"),
        (
            "tables/seconds",
            'CATEGORY = "Time"\nTITLE = "A"\n',
            "CAPTION is None; expected the text",
        ),
        ("tables/seconds", f"{TABLE}CAPTION = text()\n", "line 4: CAPTION is computed; expected"),
        ("figures/seconds", 'TABLE = "hours"\n', "TABLE is 'hours'; expected one of seconds"),
    ],
)
def test_a_wrong_constant_is_named(package, name, text, message):
    (package / f"{name}.py").write_text(text)
    with pytest.raises(StudyError, match=f"{name}.py.*{message}"):
        registry.figures(package)


def test_every_figure_offers_what_it_must():
    for name, figure in registry.figures().items():
        module = figures.get(name)
        assert callable(module.draw) and module.TABLE == figure.table
        assert module.CAPTION == figure.caption
