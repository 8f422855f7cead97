"""Scripts of examples, as text: each converter has one, and it says what the converter is told."""

import ast
import string
from dataclasses import dataclass, field, replace
from types import SimpleNamespace

import pytest

from deltann import converters, runners
from deltann.converters import torch_onnx
from deltann.explain import snippets, snippets_convert, snippets_quantize, suspects
from deltann.explain.snippets import Example
from deltann.explain.snippets_run import NAMES, RUNTIMES
from deltann.tvm.importers import IMPORTS
from helpers.workspace import ROOT

# Another value of each setting, and what it needs beside it.
OTHER = {
    "activations": {"keras_quantize": "float", "ort_static": "int16", "tflite_int8": "int16"},
    "batch_norms": torch_onnx.KEPT,
    "ends": "integer",
    "exporter": "torchscript",
    "method": "percentile",
    "opset": 13,
    "recipe": {"ai_edge_static": "static_wi8_ai16", "ai_edge_weights": "weight_only_wi8_afp32"},
}
BESIDE = {"batch_norms": {"exporter": "torchscript"}}
NAMED = [(name, key) for name in converters.names() for key in converters.settings(name)]


@dataclass(frozen=True)
class Target:
    """What is read of a model file."""

    edge: str
    converter: str
    framework: str
    name: str
    settings: dict = field(default_factory=dict)


def example(name: str, settings: dict) -> Example:
    """An example of a converter."""
    module = converters.get(name)
    return Example(
        what="wrong",
        source=module.SOURCE,
        target=module.TARGET,
        call=name,
        settings=settings,
    )


def other(name: str, key: str) -> object:
    """A value of a setting that isn't its default."""
    default = converters.settings(name)[key].default
    if isinstance(default, bool):
        return not default
    value = OTHER[key]
    return value[name] if isinstance(value, dict) else value


def test_every_converter_and_importer_has_a_call():
    imports = {snippets_convert.importer(name) for name in IMPORTS}
    assert snippets_convert.CALLS.keys() == {*converters.names()} | imports


@pytest.mark.parametrize("name", converters.names())
def test_a_script_is_python_and_needs_only_the_tools(name):
    module = converters.get(name)
    text = snippets.script(example(name, {}))
    compile(text, name, "exec")
    assert "deltann" not in text
    assert f'run_{module.SOURCE}("{NAMES[module.SOURCE].format("model")}", inputs)' in text
    assert f"after = run_{module.TARGET}(" in text
    assert len([line for line in text.splitlines() if line.strip()]) <= 65


@pytest.mark.parametrize(
    "name", ['a"""\nprint("run")\n"""', "block\\x1/conv", "\\N{nothing}", 'ends in "', "ends in \\"]
)
def test_names_of_a_model_are_never_code(name):
    text = snippets.script(replace(example("torch_onnx", {}), what=f"{name} is wrong: {name}"))
    tree = ast.parse(text)
    said = ast.get_docstring(tree, clean=False)
    assert said.startswith(" ".join(f"{name} is wrong: {name}".split("\n")))
    plain = snippets.script(example("torch_onnx", {}))
    assert ast.dump(ast.parse(plain)).count("Call(") == ast.dump(tree).count("Call(")


@pytest.mark.parametrize("framework", IMPORTS)
def test_a_script_of_an_import_is_python(framework):
    call = snippets_convert.importer(framework)
    text = snippets.script(Example("wrong", framework, "tvm", call, stored=True))
    compile(text, framework, "exec")
    assert "after = run_tvm(converted, given)" in text and 'np.load("before.npy")' in text


@pytest.mark.parametrize("name", snippets_convert.CALLS)
def test_a_call_names_no_setting_that_the_converter_lacks(name):
    fields = {field for _, field, *_ in string.Formatter().parse(snippets_convert.CALLS[name])}
    known = {"kept", "torchvision"}
    if name in converters.names():
        defaults = {key: item.default for key, item in converters.settings(name).items()}
        known |= defaults.keys() | snippets_quantize.fields(name, defaults).keys()
    assert fields - {None} <= known


@pytest.mark.parametrize("name, key", NAMED)
def test_each_setting_changes_the_call(name, key):
    beside = BESIDE.get(key, {})
    plain = snippets.script(example(name, beside))
    changed = snippets.script(example(name, beside | {key: other(name, key)}))
    compile(changed, name, "exec")
    assert changed != plain


def test_files_are_run_by_runtimes_of_environments_that_there_are():
    assert NAMES.keys() == {*runners.frameworks()}
    for environment, frameworks in RUNTIMES.items():
        assert (ROOT / f"envs/{environment}.txt").is_file()
        assert {*frameworks} <= {*runners.frameworks(), "tvm"}
    for name in runners.frameworks():
        assert name in RUNTIMES[runners.get(name).ENVIRONMENT]


def fault(verdict: str) -> dict:
    """What is read of a fault to choose among faults."""
    return {"verdict": verdict, "source_operators": [{"name": verdict}]}


def case(*converted: tuple[str, str]) -> SimpleNamespace:
    """A cell's files: the unconverted one, and by each edge its converter's."""
    chain = [Target("", "", "torch", "the unconverted model")]
    chain += [Target(edge, name, converters.get(name).TARGET, edge) for edge, name in converted]
    return SimpleNamespace(chain=chain, native="native", own="own")


def chosen(rows: list[dict], localisations: list[dict]) -> suspects.Suspect | None:
    """The suspect of a cell that was converted to ONNX, to TensorFlow and to TFLite."""
    made = case(("first", "torch_onnx"), ("second", "onnx2tf"), ("third", "tflite_converter"))
    return suspects.suspect(made, {"stages": rows, "localisations": localisations})


def row(name: str, localisation: int, stage: str = "conversion") -> dict:
    """A row about edges from the first one's source to the last one's target."""
    places = [("first", "second", "third").index(edge) for edge in name.split(" and ")]
    between = [places[0], places[-1] + 1]
    return {"stage": stage, "name": name, "localisation": localisation, "between": between}


def test_a_located_fault_is_shown_before_a_suspected_one():
    found = chosen(
        [row("first", 0), row("second", 1)],
        [
            {"edge": "first", "faults": [fault("suspected")]},
            {"edge": "second", "faults": [fault("suspected"), fault("located")]},
        ],
    )
    assert found is not None and found.operators == [{"name": "located"}]
    assert (found.source.edge, found.target.edge, found.call) == ("first", "second", "onnx2tf")
    assert (found.environment, found.images) == ("onnx2tf", "native")


def test_an_edge_whose_operator_is_not_known_is_shown_too():
    found = chosen([row("first", 0)], [{"edge": "first", "error": {"type": "NoTracer"}}])
    assert found is not None and found.fault is None and found.operators == []
    assert found.what == "first changes answers; the operator isn't known."


def test_edges_without_a_file_that_runs_between_them_are_not_made_again():
    made = case(("first", "torch_onnx"), ("second", "onnx2tf"))
    rows, located = [row("first and second", 0)], [{"edge": "first and second", "faults": []}]
    found = suspects.suspect(made, {"stages": rows, "localisations": located})
    assert found is not None and (found.source.framework, found.call) == ("torch", "")
    assert found.environment == "tensorflow"


def test_an_import_has_none_of_the_settings_of_the_edge_before_it():
    made = case(("first", "tf2onnx"))
    made.chain[1] = replace(made.chain[1], settings={"channels_first": True})
    rows = [{"stage": "import", "name": "first", "localisation": 0}]
    found = suspects.suspect(
        made, {"stages": rows, "localisations": [{"faults": [fault("located")]}]}
    )
    assert found is not None and found.target.settings == {}


def test_an_import_is_shown_with_the_cell_s_own_images():
    made = case()
    rows = [{"stage": "import", "name": "the unconverted model", "localisation": 0}]
    located = [{"edge": "TVM's import of the unconverted model", "faults": [fault("located")]}]
    found = suspects.suspect(made, {"stages": rows, "localisations": located})
    assert found is not None and (found.call, found.environment) == ("tvm_torch", "tvm")
    assert (found.source, found.target.framework, found.images) == (made.chain[0], "tvm", "own")


@pytest.mark.parametrize("stage", ["runtime", "precision"])
def test_a_runtime_or_a_precision_is_no_fault_of_a_converter(stage):
    assert chosen([row("first", 0, stage)], [{"edge": "first", "faults": []}]) is None
