"""Every module that is found by its name offers what the Protocol of its package states."""

import inspect
from importlib import import_module
from pkgutil import iter_modules

import numpy as np
import pytest

from deltann import converters, models, runners
from deltann.formats import descriptions, precisions
from deltann.images import resizers
from deltann.tvm import target_kinds
from helpers.protocols import copy_without, violations
from helpers.workspace import ROOT

PROTOCOLS = {
    converters: converters.Converter,
    descriptions: descriptions.Describer,
    models: models.Family,
    precisions: precisions.Reader,
    resizers: resizers.Resizer,
    runners: runners.RunnerModule,
    target_kinds: target_kinds.TargetKind,
}
MODULES = [
    (import_module(f"{package.__name__}.{item.name}"), protocol)
    for package, protocol in PROTOCOLS.items()
    for item in iter_modules(package.__path__)
]
NAMES = [module.__name__.removeprefix("deltann.") for module, _ in MODULES]


def stated(protocol: type) -> list[str]:
    """The names of a protocol's attributes and functions."""
    functions = [name for name, item in vars(protocol).items() if inspect.isfunction(item)]
    return [*protocol.__annotations__, *(name for name in functions if not name.startswith("_"))]


def test_all_packages_have_modules():
    assert {module.__name__.rpartition(".")[0] for module, _ in MODULES} == {
        package.__name__ for package in PROTOCOLS
    }
    assert len(MODULES) > 20


@pytest.mark.parametrize("module, protocol", MODULES, ids=NAMES)
def test_a_module_offers_what_its_protocol_states(module, protocol):
    assert violations(module, protocol) == []


@pytest.mark.parametrize("module, protocol", MODULES, ids=NAMES)
def test_a_module_that_lacks_a_name_is_found(module, protocol):
    for name in stated(protocol):
        found = violations(copy_without(module, name), protocol)
        assert len(found) == 1 and found[0].startswith(name), name


def test_a_function_with_other_parameters_is_found():
    module = copy_without(converters.get("onnx2torch"), "")
    module.convert = lambda source, target: None
    assert violations(module, converters.Converter) == [
        "convert() lacks the parameters ['model_file', 'output']"
    ]
    module.convert = lambda model_file, output, opset: None
    assert "without defaults: ['opset']" in violations(module, converters.Converter)[0]
    module.convert = lambda output, model_file: None
    assert "has not the order" in violations(module, converters.Converter)[0]


@pytest.mark.parametrize("name", [*runners.frameworks(), runners.COMPILED, runners.REMOTE])
def test_a_runner_takes_its_settings_and_its_devices(name):
    module = runners.get(name)
    parameters = inspect.signature(module.Runner).parameters
    assert list(parameters)[:2] == ["model_file", "threads"]
    for setting, values in module.SETTINGS.items():
        assert parameters[setting].default in values
    assert set(module.TARGET_KINDS) <= set(target_kinds.names())
    assert ("gpu" in parameters) == (target_kinds.CUDA in module.TARGET_KINDS)
    assert ("rpc" in parameters) == (name == runners.REMOTE)
    for method in ("__enter__", "__exit__", "infer", "timed"):
        assert callable(getattr(module.Runner, method))


def test_a_local_runner_times_its_answers():
    class Doubling(runners.LocalRunner):
        def run(self, batch):
            return 2 * batch

    logits, seconds = Doubling().timed(np.float32([21]))
    assert logits == [42] and 0 < seconds < 1
    assert Doubling().machine is None


def test_converters_lead_between_known_frameworks_and_run_in_known_environments():
    environments = {path.stem for path in (ROOT / "envs").glob("*.txt")}
    for name in converters.names():
        module = converters.get(name)
        assert {module.SOURCE, module.TARGET} <= set(runners.frameworks())
        assert module.ENVIRONMENT in environments
        module.check(**{key: item.default for key, item in converters.settings(name).items()})


def test_a_converter_refuses_settings_before_any_work():
    with pytest.raises(ValueError, match="expected exporter torchscript"):
        converters.get("torch_onnx").check(batch_norms="kept")


def test_families_name_their_models_and_environments():
    environments = {path.stem for path in (ROOT / "envs").glob("*.txt")}
    for name in models.families():
        family = models.family(name)
        for source in family.MODELS[name]:
            assert source in runners.frameworks() and family.ENVIRONMENTS[source] in environments
    assert "user_model" not in models.families().values()


def test_kinds_are_found_in_the_package():
    assert target_kinds.names() == [target_kinds.CUDA, target_kinds.CPU]
    with pytest.raises(ValueError, match="expected one of cuda, llvm"):
        target_kinds.get("vulkan")
