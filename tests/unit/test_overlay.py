"""A config holds only what differs from the defaults."""

import copy
from collections import OrderedDict

import pytest
import yaml

from deltann.errors import StudyError
from deltann.study import grid, overlay, schema, schema_errors, validation
from deltann.study.overlay import COMMAND_LINE, DEFAULTS, Layer
from helpers.workspace import ROOT

ONNX = {
    "name": "mine",
    "source": "onnx",
    "file": "mine.onnx",
    "input": {"size": 64, "layout": "NCHW", "convention": "imagenet"},
    "classes": 10,
}
FOLDER = {"folder": "photographs"}


@pytest.fixture(autouse=True)
def in_repository(monkeypatch):
    """In the repository's root, where the environments' lists are."""
    monkeypatch.chdir(ROOT)


def resolved(*contents: dict | Layer) -> dict:
    """The config of the files a.yaml, b.yaml, …, as rules/config.smk makes it."""
    layers = [
        content if isinstance(content, Layer) else Layer(f"/study/{name}.yaml", content)
        for name, content in zip("abc", contents, strict=False)
    ]
    defaults = overlay.load_defaults()
    config = overlay.lay(layers, defaults)
    overlay.with_origin(layers, defaults, schema_errors.check, config, schema.load())
    overlay.trim(config, defaults)
    schema.fill_defaults(config, schema.load())
    overlay.with_origin(layers, defaults, validation.check, config)
    return config


@pytest.fixture
def default() -> dict:
    return resolved()


def test_the_defaults_are_the_default_study(default):
    written = yaml.safe_load(DEFAULTS.read_text())
    assert {key: default[key] for key in written} == written
    assert resolved(written) == default


def test_what_was_resolved_resolves_to_itself():
    config = resolved({"models": [ONNX], "images": FOLDER, "timing": {"repeats": 1}})
    assert resolved(config) == config


def test_only_what_differs_is_given(default):
    changes = {"models": ["efficientnet_lite1"], "images": FOLDER}
    rest = {"study": "a", "preprocessing": ["source"]}
    assert resolved(changes) == default | changes | rest


def test_lists_and_grids_replace_the_defaults(default):
    devices = {"mine": default["devices"]["cpu"]}
    conversions = {"torch": {"onnx": [["torch_onnx"]]}}
    changes = {"backends": ["native", "O1"], "devices": devices, "conversions": conversions}
    config = resolved(changes)
    assert {key: config[key] for key in changes} == changes
    assert {(cell.target, cell.backend, cell.device) for cell in grid.cells(config)} == {
        ("onnx", "native", "mine"),
        ("onnx", "O1", "mine"),
    }


def test_settings_merge_with_the_defaults(default):
    config = resolved({"timing": {"repeats": 9}, "limits": {"infer": {"seconds": 7}}})
    assert config["timing"] == default["timing"] | {"repeats": 9}
    infer = {"seconds": 7, "memory_mb": default["limits"]["infer"]["memory_mb"]}
    assert config["limits"] == default["limits"] | {"infer": infer}


def test_definitions_merge_by_name(default):
    edge = {"exporter": "torchscript"}
    config = resolved({"edges": {"torch_onnx": edge}, "tvm_imports": {"tflite": []}})
    assert config["edges"] == default["edges"] | {"torch_onnx": edge}  # without the default's opset
    assert config["tvm_imports"] == default["tvm_imports"] | {"tflite": []}


def test_images_come_from_one_place(default):
    subset = {"subset": {"count": 2, "seed": 0}}
    assert resolved({"images": subset})["images"] == default["images"] | subset
    assert resolved({"images": FOLDER})["images"] == FOLDER
    assert resolved({"images": default["images"] | subset}, {"images": FOLDER})["images"] == FOLDER
    assert resolved({"images": FOLDER}, {"images": subset})["images"] == FOLDER | subset


def test_files_and_options_merge_as_in_snakemake(default):
    devices = default["devices"]
    config = resolved(
        {"devices": {"one": devices["cpu"]}, "backends": ["native"]},
        {"devices": {"two": devices["cpu"] | {"threads": 2}}, "backends": ["O0"]},
        Layer(COMMAND_LINE, {"devices": {"two": {"threads": 3}}}),
    )
    two = devices["cpu"] | {"threads": 3}
    assert config["devices"] == {"one": devices["cpu"], "two": two}
    assert config["backends"] == ["O0"]


def test_a_study_is_named_after_its_last_file_unless_it_says_its_name():
    assert resolved({}, {})["study"] == "b"
    assert resolved({"study": "mine"}, {})["study"] == "mine"
    assert resolved({}, Layer(COMMAND_LINE, {"weights": "seeded"}))["study"] == "a"
    assert resolved(Layer(COMMAND_LINE, {"weights": "seeded"}))["study"] == "sample"


def test_a_model_of_ones_own_needs_no_conversions(default):
    config = resolved({"models": [ONNX], "images": FOLDER})
    assert config["conversions"] == {"onnx": {"onnx": [[]]}}
    assert config["tvm_imports"] == {"onnx": [[]]} and config["edges"] == {}
    both = resolved({"models": ["efficientnet_lite0", ONNX], "images": FOLDER})
    assert both["conversions"] == default["conversions"] | {"onnx": {"onnx": [[]]}}
    torch = {"source": "torch", "file": "mine.pt2"}
    of_torch = resolved({"models": [ONNX | torch], "images": FOLDER})["conversions"]
    assert of_torch == {"torch": default["conversions"]["torch"]}


def test_other_models_see_no_wrong_convention_unless_asked(default):
    assert default["preprocessing"] == ["source", "imagenet"]
    assert resolved({"images": FOLDER})["preprocessing"] == ["source", "imagenet"]
    own = {"models": [ONNX], "images": FOLDER}
    assert resolved(own)["preprocessing"] == ["source"]
    asked = own | {"preprocessing": ["source", "imagenet"]}
    assert resolved(asked)["preprocessing"] == ["source", "imagenet"]
    assert resolved(own, {"preprocessing": ["source", "raw"]})["preprocessing"] == ["source", "raw"]


def test_nothing_is_given_and_nothing_is_changed_in_place():
    given = {"images": {"subset": {"count": 2, "seed": 0}}, "timing": {"repeats": 1}}
    before = copy.deepcopy(given)
    resolved(given, {"images": FOLDER, "timing": {"repeats": 2}})
    assert given == before


@pytest.mark.parametrize(
    ("contents", "message"),
    [
        ([{"modles": []}], "/study/a.yaml: config key modles: unknown key"),
        ([{"backends": ["O9"]}, {}], "/study/a.yaml: config key backends: "),
        ([{"backends": ["O0"]}, {"backends": []}], "/study/b.yaml: config key backends: "),
        ([{}, Layer(COMMAND_LINE, {"models": "a"})], "--config: config key models: 'a'; "),
        ([{"runtimes": {}, "schedules": ["tune"]}], "/study/a.yaml: config key schedules: "),
        ([{"models": ["efficientnet_lite9"]}], "/study/a.yaml: config key models: "),
        ([{"edges": [], "conversions": 1}], "/study/a.yaml: config key "),
        ([{"images": None}], "/study/a.yaml: config key images: empty; "),
    ],
)
def test_a_mistake_is_reported_with_its_file(contents, message):
    with pytest.raises(StudyError) as raised:
        resolved(*contents)
    assert str(raised.value).startswith(message), raised.value


def test_a_mistake_in_the_defaults_is_reported_as_such():
    def check() -> None:
        raise StudyError("config key limits: 1; expected a mapping")

    with pytest.raises(StudyError, match="^config/config.yaml: config key limits: 1"):
        overlay.with_origin([Layer("/study/a.yaml", {})], {"limits": 1}, check)
    with pytest.raises(StudyError, match="^/study/a.yaml: config key limits: 1"):
        overlay.with_origin([Layer("/study/a.yaml", {})], {}, check)


def test_what_was_resolved_is_shown_with_its_origin():
    layer = Layer(
        str(ROOT / "config/mine.yaml"), {"models": [OrderedDict(ONNX)], "timing": {"repeats": 9}}
    )
    defaults = overlay.load_defaults()
    config = overlay.lay([layer], defaults) | {"weights": "pretrained"}
    assert "name: mine, source: onnx" in "".join(overlay.lines(config, [layer], defaults))
    first, *lines = overlay.lines(config, [layer], defaults)
    assert "results/mine/config.json" in first
    shown = {line.split(":")[0].strip(): line for line in lines}
    assert list(shown) == list(config)
    assert shown["study"] == "  study: mine  # config/mine.yaml"
    assert shown["models"].endswith(" ...  # config/mine.yaml")
    assert shown["backends"].endswith(", O4]  # config/config.yaml")
    assert "repeats: 9, " in shown["timing"]
    assert shown["timing"].endswith("  # config/config.yaml, config/mine.yaml")
    assert shown["weights"] == "  weights: pretrained  # not given"
    assert max(map(len, lines)) < 150


@pytest.mark.parametrize("layers", [[], [Layer(str(DEFAULTS), overlay.load_defaults())]])
def test_the_default_study_says_so_in_one_line(layers):
    defaults = overlay.load_defaults()
    (line,) = overlay.lines(overlay.lay(layers, defaults), layers, defaults)
    assert line.startswith("The default config, config/config.yaml (results/sample/config.json")
    other = Layer("--config", {"timing": {"repeats": 9}})
    assert len(overlay.lines(overlay.lay([other], defaults), [other], defaults)) > 10
