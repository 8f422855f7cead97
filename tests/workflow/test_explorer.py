"""The explorer in a real browser: of the shared small study, and of one with odd names."""

import pytest
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.keys import Keys

from deltann.explorer import page as explorer
from helpers import browser, planted_explorer
from helpers.browser import CONTRAST, UNNAMED
from helpers.explored import GRID
from helpers.explorer_page import (
    choose,
    close_cell,
    explain,
    marks,
    open_cell,
    pairs,
    paths,
    rows,
    wait_for_rows,
)
from helpers.made_up_cells import CONVERTED, FAST, NATIVE, SLOW
from helpers.planted_explorer import BROKEN, IMAGES, MARKUP, OTHER

pytestmark = pytest.mark.skipif(bool(browser.missing()), reason=browser.missing() or "-")

VIEWS = ("", "#images", f"#cell={BROKEN}", f"#cell={CONVERTED}")


@pytest.fixture(scope="module")
def planted(workspace, tmp_path_factory):
    """The explorer of a made-up study."""
    return planted_explorer.write(workspace, tmp_path_factory.mktemp("it's a #study?"))


@pytest.fixture(scope="module")
def window():
    """A browser for all tests."""
    with browser.browser() as made:
        yield made


@pytest.fixture
def page(window, planted):
    """The browser with the planted explorer, as a new visitor sees it on a wide screen."""
    window.size(*browser.WIDE)
    window.colours("light")
    window.open(planted)
    yield window
    assert window.errors() == []
    assert window.run("window.pwned") is None


def test_it_loads_alone_and_shows_every_cell(page):
    assert rows(page) == paths(NATIVE, CONVERTED, OTHER, SLOW, FAST, BROKEN)
    assert marks(page) == (6, 5)
    loaded = page.run("performance.getEntriesByType('resource').map((entry) => entry.name)")
    assert [name for name in loaded if not name.startswith("data:")] == []
    assert "6 cells: 5 ran, 1 failed; 1 disturbed" in page.first("header p").text


def test_filters_narrow_the_table_and_the_plots(page):
    choose(page, "backend", "native")
    page.wait("document.querySelectorAll('#pareto .mark-symbol.role-mark path').length === 3")
    assert rows(page) == paths(NATIVE, CONVERTED, OTHER)
    choose(page, "precision", "int8")
    page.wait("document.querySelectorAll('#pareto .mark-symbol.role-mark path').length === 1")
    assert (rows(page), marks(page)) == (paths(CONVERTED), (1, 1))
    assert page.first("#cells-status").text == "1 of 6 cells"
    choose(page, "backend", "O4")
    assert rows(page) == [] and "No cell matches." in page.first("#cells").text
    page.wait("document.querySelector('#no-pareto').checkVisibility()")
    page.colours("dark")  # nothing is drawn anew
    page.first("#filters button").click()
    page.wait("document.querySelectorAll('#cells tbody a').length === 6")


def test_search_and_sort(page):
    field = page.first("input[type=search]")
    field.send_keys("to_onnx TVM")
    wait_for_rows(page, SLOW, FAST)
    field.clear()
    field.send_keys("zzz", Keys.BACKSPACE * 3)
    header = next(item for item in page.all("#cells thead th") if "Millisec" in item.text)
    header.click()
    wait_for_rows(page, BROKEN, FAST, CONVERTED, OTHER, NATIVE, SLOW)
    assert header.get_attribute("aria-sort") == "ascending"
    header.click()
    wait_for_rows(page, SLOW, NATIVE, OTHER, CONVERTED, FAST, BROKEN)


def test_a_cell_leads_to_its_images_and_back(page):
    page.first(f"#cells a[href$='{str(CONVERTED).replace('/', '%2F')}']").click()
    assert page.first("#detail-title").text == "onnx by to_onnx, own runtime"
    titles = page.texts("#detail article h3")
    assert titles == IMAGES[:2]
    answers = page.texts("#detail article:first-of-type tbody th")
    assert answers == [f"{MARKUP} (0) true label native torch", "zebra (1) this cell"]
    assert page.run("document.querySelector('#detail article img').naturalWidth") == 96
    files = page.texts("#detail section:last-of-type a")
    assert files == [f"predictions/{CONVERTED}.nc", "its page"]
    assert page.texts("#detail .command") == [explain(CONVERTED)]
    page.first("#detail article a").click()
    page.wait("!document.querySelector('#detail').open && location.hash.startsWith('#image=')")
    assert page.texts("#entries h3") == IMAGES[:1]
    assert page.first("#images-status").text == "Page 1 of 1: 1 of 2 images match"
    page.driver.back()
    page.wait("document.querySelector('#detail').open")


def test_a_failure_a_record_and_a_command(page):
    open_cell(page, BROKEN)
    said = pairs(page, "#detail section:first-of-type")
    assert said == {"stage": "compile", "error": "Markup<b>", "message": MARKUP}
    assert page.texts("#detail section:first-of-type details pre") == [f"Traceback\n{MARKUP}"]
    close_cell(page)
    open_cell(page, FAST)
    assert page.texts("#detail .command") == [explain(FAST)]
    record = pairs(page, "#detail .record")
    assert record["backend"] == record["model_file"] == "O2"
    assert len(record["prediction file's checksum"]) == 64


def test_a_click_on_a_mark_opens_its_cell(page):
    point = page.run(
        "[...document.querySelectorAll('#pareto .mark-symbol.role-mark path')]"
        ".find((mark) => mark.getAttribute('aria-label').includes('own runtime: 20 ms'))"
    )
    ActionChains(page.driver).move_to_element(point).click().perform()
    page.wait("document.querySelector('#detail').open")
    assert page.first(".path").text == str(CONVERTED)
    close_cell(page)


def test_a_click_on_a_tile_opens_its_cell_or_filters_by_its_cells(page):
    tile = page.first("#heatmap .mark-rect.role-mark path[aria-label^='onnx by a+b']")
    ActionChains(page.driver).move_to_element(tile).click().perform()
    page.wait("document.querySelector('#detail').open")
    close_cell(page)
    choose(page, "row", "target")
    page.wait("document.querySelector('#heatmap path[aria-label*=\"2 cells\"]')")
    said = "onnx, native: 2 cells: up to 2 of 6 labels changed"
    tile = page.first(f"#heatmap path[aria-label='{said}']")
    ActionChains(page.driver).move_to_element(tile).click().perform()
    page.wait("document.querySelectorAll('#cells tbody a').length === 2")
    assert rows(page) == paths(CONVERTED, OTHER)


def test_the_keyboard_is_enough(page):
    page.run("document.querySelector('input[type=search]').focus()")
    active = page.driver.switch_to
    for _ in range(40):
        active.active_element.send_keys(Keys.TAB)
        if page.run("document.activeElement.matches('#cells tbody a')"):
            break
    active.active_element.send_keys(Keys.ARROW_DOWN)
    assert active.active_element.text == "onnx by to_onnx, own runtime"
    active.active_element.send_keys(Keys.ENTER)
    page.wait("document.querySelector('#detail').open")
    assert page.run("document.activeElement.closest('dialog') !== null")
    active.active_element.send_keys(Keys.ESCAPE)
    page.wait("!document.querySelector('#detail').open")
    page.wait("document.activeElement.matches('#cells tbody a')")
    assert active.active_element.text == "onnx by to_onnx, own runtime"
    header = page.first("#cells thead th [role=button], #cells thead th[tabindex]")
    page.run("arguments[0].focus()", header)
    header.send_keys(Keys.ENTER)
    assert page.run("document.querySelector('#cells thead th').ariaSort") == "ascending"


def test_the_plots_can_be_used_by_keyboard(page):
    label = "document.activeElement.getAttribute('aria-label')"
    page.run("document.querySelector('#heatmap').focus()")
    active = page.driver.switch_to
    active.active_element.send_keys(Keys.ARROW_RIGHT)
    first = page.run(label)
    assert first == page.first("#heatmap .mark-rect.role-mark path").get_attribute("aria-label")
    assert page.first("#vg-tooltip-element").text == first
    active.active_element.send_keys(Keys.ARROW_DOWN)
    below = page.run(label)
    assert below != first
    active.active_element.send_keys(Keys.ARROW_UP)
    assert page.run(label) == first
    active.active_element.send_keys(Keys.END, Keys.TAB)
    page.wait("!document.querySelector('#vg-tooltip-element.visible')")

    page.run("document.querySelector('#pareto').focus()")
    for _ in range(10):
        active.active_element.send_keys(Keys.ARROW_RIGHT)
        if "onnx by to_onnx, own runtime: 20 ms" in page.run(label):
            break
    active.active_element.send_keys(Keys.ENTER)
    page.wait("document.querySelector('#detail').open")
    assert page.first(".path").text == str(CONVERTED)
    active.active_element.send_keys(Keys.ESCAPE)
    page.wait(f"({label} || '').includes('onnx by to_onnx, own runtime: 20 ms')")


def test_everything_has_a_name_for_screen_readers(page, planted):
    for view in VIEWS:
        page.open(planted, view)
        assert page.run(UNNAMED) == []
    assert len(page.all(".plot[role=graphics-document][aria-label*='The table lists']")) == 2


TEXTS = "p, a, label, th, td, button:not(:disabled), .mark, #pareto text, #heatmap .role-axis text"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_texts_stand_out_in_both_colours(page, planted, scheme):
    page.colours(scheme)
    for view in VIEWS:
        page.open(planted, view)
        ratios = page.run(f"({CONTRAST})(arguments[0])", TEXTS)
        assert len(ratios) > 20 and min(ratios) > 4.5
    paper = page.run("getComputedStyle(document.body).backgroundColor")
    assert paper == {"light": "rgb(255, 255, 255)", "dark": "rgb(22, 24, 28)"}[scheme]


def test_a_change_of_colours_is_followed(page):
    fill = "document.querySelector('#heatmap .mark-rect.role-mark path').getAttribute('fill')"
    before = page.run(fill)
    page.colours("dark")
    page.wait(f"{fill} !== '{before}'")


@pytest.mark.parametrize("size", [browser.WIDE, browser.NARROW], ids=["wide", "narrow"])
def test_no_view_is_wider_than_the_window(page, planted, size):
    page.size(*size)
    for view in VIEWS:
        page.open(planted, view)
        assert page.run("document.documentElement.scrollWidth - innerWidth") <= 0
        captions = page.run(
            "[...document.querySelectorAll('.answers caption')]"
            ".filter((item) => item.checkVisibility()).map((item) => item.clientWidth)"
        )
        assert all(width > 200 for width in captions)  # not a letter a line
        detail = page.first("#detail")
        assert page.run("arguments[0].scrollWidth - arguments[0].clientWidth", detail) <= 0


def test_a_real_study_whose_cells_agree_shows_the_closest_calls(window, small):
    study = small[0].path / "results/small"
    window.open(study / "explorer.html")
    assert len(rows(window)) == 4 and marks(window) == (4, 4)
    window.open(study / "explorer.html", "#images")
    assert window.first("#closest").is_displayed()
    assert "4 of 4 closest calls match" in window.first("#images-status").text
    sides = "[...document.querySelectorAll('#entries img')].map((image) => image.naturalWidth)"
    assert window.run(sides) == [96] * 4
    for path in rows(window):
        window.open(study / "explorer.html", f"#cell={path}")
        assert "No answer changed. Closest calls" in window.first("#detail").text
        (name, *_) = window.texts("#detail section:last-of-type a")
        assert (study / name).is_file()
    assert window.errors() == []


def test_cells_of_an_answer_are_grouped(window):
    groups = [list(range(18)), [0], [4, 5, 10, 11], [6, 7, 8, 9, 10, 11, 14], [2, 4, 9]]
    script = (explorer.HERE / "script/groups.js").read_text(encoding="utf-8")
    script += "const [grid, groups] = arguments;"
    script += "return groups.map((group) => lines(group.map((at) => grid[at]), grid));"
    assert window.driver.execute_script(script, GRID, groups) == [
        ["from torch: all 18"],
        ["from torch unconverted: native on cpu"],
        ["from torch unconverted, to onnx by torch_onnx: O4"],
        [
            "from torch to onnx by torch_onnx: all",
            "from torch to keras by nobuco: O0 through keras_onnx on cpu",
        ],
        ["from torch unconverted: O0, O4 on cpu", "from torch to onnx by torch_onnx: O0 on arm"],
    ]
