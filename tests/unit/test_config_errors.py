"""Each mistake in a config is reported by one sentence: its key, and what is expected there."""

import copy
import re

import pytest

from deltann.errors import StudyError
from deltann.study import (
    file_checks,
    model_sources,
    schema,
    schema_errors,
    schema_page,
    validation,
)
from helpers.config_mistakes import CONFIG, GONE, MISTAKES, REMOTE
from helpers.workspace import ROOT


def planted(path: str, value: object) -> dict:
    """The config with one mistake, at a path whose parts are keys and positions."""
    config = copy.deepcopy(CONFIG)
    *above, last = (int(part) if part.isdigit() else part for part in path.split("."))
    node = config
    for part in above:
        node = node.setdefault(part, {}) if isinstance(node, dict) else node[part]
    if value is GONE:
        del node[last]
    else:
        node[last] = value
    return config


def check(config: dict) -> None:
    """Check a config as rules/config.smk and rules/common.smk do."""
    schema_errors.check(config, schema.load())
    schema.fill_defaults(config, schema.load())
    validation.check(config)


@pytest.fixture(autouse=True)
def in_repository(monkeypatch):
    """In the repository's root, where the environments' lists are."""
    monkeypatch.chdir(ROOT)


def test_the_config_without_a_mistake_is_good():
    check(copy.deepcopy(CONFIG))


@pytest.mark.parametrize(
    ("path", "value", "key", "expectation"), MISTAKES, ids=[f"{m[0]}={m[1]!r}" for m in MISTAKES]
)
def test_a_mistake_is_reported_with_its_key(path, value, key, expectation):
    with pytest.raises(StudyError) as raised:
        check(planted(path, value))
    message = str(raised.value)
    assert re.match(rf"config key {re.escape(key)}(:| is missing;) ", message), message
    for part in expectation.split("; "):
        assert part in message, message
    assert len(message) < 600 and "\n" not in message
    assert "the height and width" not in message or key.endswith("size")


def test_a_long_value_is_shortened():
    with pytest.raises(StudyError) as raised:
        check(planted("study", "x " * 10_000))
    assert len(str(raised.value)) < 400


def test_a_key_that_yaml_does_not_read_as_text_is_refused():
    with pytest.raises(StudyError, match="config key devices: the key true is no text; .*quotes"):
        check(planted("devices", {True: REMOTE, "cpu": REMOTE}))


def test_defaults_come_from_the_schema():
    config = copy.deepcopy(CONFIG)
    optional = ("weights", "runtimes", "pass_sets", "compilers", "edges", "preprocessing")
    for key in (*optional, "resizers", "schedules"):
        del config[key]
    config["backends"] = ["native", "O2"]
    check(config)
    assert config["weights"] == "pretrained" and config["compilers"] == {"tvm": "tvm"}
    assert config["models"][2]["input"]["interpolation"] == "bilinear"
    assert config["models"][2]["background"] == 0
    assert config["models"][:2] == CONFIG["models"][:2]


def test_a_model_of_ones_own_is_never_seeded():
    """It has the weights of its file or code, also where a study seeds the known models."""
    config = planted("weights", "seeded")
    check(config)
    names = ("mine", "efficientnet_lite1")
    assert [model_sources.weights(config, name, "onnx") for name in names] == [
        "pretrained",
        "seeded",
    ]


def test_missing_weights_name_the_key_and_a_near_word():
    config = planted("weights", {"torch": "preatrained"})
    check(config)
    config["models"] = config["models"][:2]
    with pytest.raises(StudyError) as raised:
        file_checks.check_models(config)
    assert str(raised.value).startswith("config key weights.torch: 'preatrained' doesn't exist")
    assert str(raised.value).endswith("did you mean 'pretrained'?")


def test_the_page_about_the_config_is_up_to_date():
    page = (ROOT / "config/README.md").read_text(encoding="utf-8")
    assert page == schema_page.render(schema.load()), "out of date: make config-docs"
