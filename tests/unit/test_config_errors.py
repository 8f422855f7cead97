"""Each mistake in a config is reported by one sentence: its key, and what is expected there."""

import copy
import datetime
import re

import pytest

from deltann.errors import StudyError
from deltann.study import file_checks, schema, schema_errors, schema_page, validation
from helpers.workspace import ROOT

LIMIT = {"seconds": 60, "memory_mb": 2000}
CONFIG = {
    "study": "small",
    "images": {"folder": "photographs"},
    "models": [
        "efficientnet_lite0",
        {"name": "efficientnet_lite1", "sources": ["torch"]},
        {
            "name": "mine",
            "source": "onnx",
            "file": "mine.onnx",
            "input": {
                "size": 64,
                "layout": "NCHW",
                "channels": "RGB",
                "mean": [0, 0, 0],
                "std": [1, 1, 1],
            },
            "classes": 10,
        },
    ],
    "weights": {"torch": "seeded"},
    "conversions": {"torch": {"torch": [[]], "onnx": [["torch_onnx"]]}, "onnx": {"onnx": [[]]}},
    "backends": ["native", "O2", "ort-basic", "only-FuseOps"],
    "runtimes": {"ort-basic": {"framework": "onnx", "settings": {"optimization": "basic"}}},
    "pass_sets": {"only-FuseOps": ["FuseOps"]},
    "schedules": ["rules", "tuned"],
    "tuning": {"trials": 4},
    "compilers": {"tvm": "tvm"},
    "tvm_imports": {"torch": [[]], "onnx": [[]]},
    "edges": {"torch_onnx": {"opset": 18}, "fifteen": {"converter": "torch_onnx", "opset": 15}},
    "preprocessing": ["source"],
    "resizers": ["pillow"],
    "devices": {
        "cpu": {
            "target": {"kind": "llvm", "mcpu": "host"},
            "native": True,
            "slurm": {"partition": "main"},
        }
    },
    "timing": {"repeats": 1, "probe_tolerance": 0.15, "contention_tolerance": 0.05},
    "limits": {stage: dict(LIMIT) for stage in ("export", "convert", "compile", "tune", "infer")}
    | {"retries": 0},
}
GONE = object()  # the value of a key that is taken away
MINE = "models.2"  # the position of the user's own model
CODE = {"file": "net.py", "function": "build"}
RPC = {"host": "board", "port": 9090, "key": "lab"}
REMOTE = {"target": {"kind": "llvm", "mcpu": "x86-64-v2"}, "native": False}
GPU = {"target": {"kind": "cuda", "arch": "sm_80"}, "native": False}

# Where the mistake is planted, its value, the key in the message, and words of the expectation.
MISTAKES = [
    # top level
    ("modles", ["a"], "modles", "unknown key; did you mean 'models'?"),
    ("study", GONE, "study", "missing; expected a text"),
    ("study", "a b", "study", "letters, digits"),
    ("study", 2024, "study", "2024; expected a text; put it in quotes"),
    ("study", datetime.date(2026, 1, 1), "study", "2026-01-01; expected a text; put it in quotes"),
    ("study", "logs", "study", "not environments, images or logs"),
    ("limits", GONE, "limits", "missing; expected a mapping with export, convert"),
    ("timing", None, "timing", "empty; expected a mapping with repeats"),
    # images
    ("images", "photographs", "images", "expected a mapping; either folder, or package"),
    ("images", {}, "images", "{}; expected either folder, or package and sha256"),
    ("images.foldre", "a", "images.foldre", "unknown key; did you mean 'folder'?"),
    ("images.folder", 1, "images.folder", "expected a text"),
    ("images", {"url": "http://a/b.zip"}, "images.sha256", "missing; 64 hexadecimal digits"),
    (
        "images",
        {"url": "ftp://a", "sha256": "0" * 64},
        "images.url",
        "'ftp://a'; expected a text; https://",
    ),
    (
        "images",
        {"url": "http://a/b.zip", "sha256": "0"},
        "images.sha256",
        "64 hexadecimal digits",
    ),
    ("images.subset", {"count": 3}, "images.subset", "either count and seed, or list"),
    ("images.subset", {"count": 0, "seed": 1}, "images.subset.count", "0; at least 1"),
    ("images.subset", {"count": 1, "seed": "x"}, "images.subset.seed", "'x'; a whole number"),
    ("images.subset", {"lst": "a"}, "images.subset.lst", "unknown key; did you mean 'list'?"),
    # models
    ("models", "mobilenet_v2", "models", "'mobilenet_v2'; expected a list"),
    ("models.0", 3, "models[0]", "3; expected a text; a known model's name, or a mapping"),
    ("models.0", "mobilnet_v2", "models", "did you mean 'mobilenet_v2'?"),
    ("models.0", "mine", "models", "'mine' is there twice; expected each name once"),
    ("models.1.wieghts", "seeded", "models.efficientnet_lite1.wieghts", "did you mean 'weights'?"),
    ("models.1.name", GONE, "models[1].name", "missing; the model's name"),
    (
        "models.1.sources",
        "torch",
        "models.efficientnet_lite1.sources",
        "'torch'; expected a list",
    ),
    (
        "models.1.sources",
        ["torhc"],
        "models.efficientnet_lite1.sources",
        "'torhc'; keras, torch; did you mean 'torch'?",
    ),
    (
        "models.1.weights",
        {"kears": "seeded"},
        "models.efficientnet_lite1.weights.kears",
        "did you mean 'keras'?",
    ),
    # a model of one's own
    (f"{MINE}.source", GONE, "models.mine.source", "missing; expected a text: the framework of"),
    (f"{MINE}.source", "onxn", "models.mine.source", "'onxn'; did you mean 'onnx'?"),
    (f"{MINE}.file", GONE, "models.mine", "expected either file, or code"),
    (f"{MINE}.code", CODE, "models.mine", "expected either file, or code"),
    (f"{MINE}.classes", GONE, "models.mine.classes", "missing; a whole number, at least 1"),
    (f"{MINE}.classes", "ten", "models.mine.classes", "'ten'; a whole number, at least 1"),
    (f"{MINE}.clases", 10, "models.mine.clases", "unknown key; did you mean 'classes'?"),
    (f"{MINE}.background", -1, "models.mine.background", "-1; a whole number, at least 0"),
    (f"{MINE}.sha256", "abc", "models.mine.sha256", "'abc'; 64 hexadecimal digits"),
    (f"{MINE}.input", GONE, "models.mine.input", "missing; a mapping with size, layout"),
    (f"{MINE}.input.size", 0, "models.mine.input.size", "0; at least 1: the height and width"),
    (f"{MINE}.input.sise", 64, "models.mine.input.sise", "unknown key; did you mean 'size'?"),
    (f"{MINE}.input.mean", 0.5, "models.mine.input.mean", "0.5; a list of 3 entries"),
    (f"{MINE}.input.mean", [0, 0], "models.mine.input.mean", "[0, 0]; a list of 3 entries"),
    (f"{MINE}.input.std.1", "x", "models.mine.input.std[1]", "'x'; a number"),
    (f"{MINE}.input.std", GONE, "models.mine.input.std", "missing; a list of 3 entries"),
    (
        f"{MINE}.input.layout",
        "nchw",
        "models.mine.input.layout",
        "'nchw'; one of NCHW, NHWC; did you mean 'NCHW'?",
    ),
    (
        f"{MINE}.input.interpolation",
        "cubic",
        "models.mine.input.interpolation",
        "one of nearest, bilinear, bicubic; did you mean 'bicubic'?",
    ),
    (f"{MINE}.input.channels", "RBG", "models.mine.input.channels", "'RBG'; one of RGB, BGR"),
    # weights
    ("weights", 3, "weights", "3; a text that isn't empty or a mapping: pretrained"),
    ("weights.torhc", "seeded", "weights.torhc", "did you mean 'torch'?"),
    ("weights.torch", {"sha256": "0" * 64}, "weights.torch.file", "missing; the path"),
    ("weights.torch", {"fiel": "a"}, "weights.torch.fiel", "unknown key; did you mean 'file'?"),
    # conversions, imports and edges
    ("conversions.trch", {"trch": [[]]}, "conversions.trch", "did you mean 'torch'?"),
    ("conversions.tflite", {"tflite": [[]]}, "conversions.tflite", "keras, onnx, torch"),
    ("conversions.torch.tf", [[]], "conversions.torch.tf", "tensorflow, tflite, torch"),
    ("conversions.torch.onnx", "torch_onnx", "conversions.torch.onnx", "expected a list"),
    ("conversions.torch.onnx.0", "torch_onnx", "conversions.torch.onnx[0]", "a route"),
    ("conversions.torch.onnx.0.0", "torch_onx", "conversions.torch.onnx", "did you mean"),
    ("conversions.torch.onnx.0.0", 1, "conversions.torch.onnx[0][0]", "an edge's name"),
    ("conversions.torch.onnx", [[]], "conversions.torch.onnx", "one that ends in onnx"),
    ("tvm_imports.onnx", GONE, "tvm_imports.onnx", "missing; torch, onnx, tflite"),
    ("tvm_imports.onxn", [[]], "tvm_imports.onxn", "did you mean 'onnx'?"),
    ("edges.torch_onnx.opst", 18, "edges.torch_onnx.opst", "did you mean 'opset'?"),
    ("edges.torch_onnx.opset", "18", "edges.torch_onnx.opset", "'18'; a whole number, as 18"),
    ("edges.fifteen.converter", "tf2onx", "edges.fifteen.converter", "did you mean 'tf2onnx'?"),
    ("edges.A", {}, "edges", "the name 'A'; small letters, digits and '_'"),
    # backends and what defines them
    ("backends", ["native", "natvie"], "backends", "'natvie'; did you mean 'native'?"),
    ("backends.0", 0, "backends[0]", "0; a backend's name; put it in quotes"),
    ("backends", ["O2", "O2"], "backends", "['O2', 'O2']; each entry once"),
    ("runtimes.ort-basic.framework", "onx", "runtimes.ort-basic.framework", "did you mean 'onnx'?"),
    ("runtimes.ort-basic.settings", {}, "runtimes.ort-basic.settings", "at least 1 entry"),
    (
        "runtimes.ort-basic.settings.optimisation",
        "basic",
        "runtimes.ort-basic.settings.optimisation",
        "did you mean 'optimization'?",
    ),
    (
        "runtimes.ort-basic.settings.optimization",
        "basics",
        "runtimes.ort-basic.settings.optimization",
        "disabled, basic, extended, all; did you mean 'basic'?",
    ),
    ("runtimes.native", CONFIG["runtimes"]["ort-basic"], "runtimes.native", "the name is taken"),
    ("pass_sets.only-FuseOps", "FuseOps", "pass_sets.only-FuseOps", "expected a list"),
    ("pass_sets.only-FuseOps.0", "FuseOp", "pass_sets.only-FuseOps", "did you mean 'FuseOps'?"),
    ("pass_sets.O2", ["FuseOps"], "pass_sets.O2", "the name is taken; expected another"),
    ("compilers.tvm", "tvm27", "compilers.tvm", "did you mean 'tvm26'?"),
    ("compilers.runtime", "tvm", "compilers.runtime", "the name is taken; expected another"),
    ("compilers", {}, "compilers", "at least 1 entry"),
    ("schedules.0", "rule", "schedules", "none, rules, tuned; did you mean 'rules'?"),
    ("tuning", GONE, "tuning", "missing; the schedule 'tuned'"),
    ("tuning.trials", 0, "tuning.trials", "0; a whole number, at least 1"),
    ("limits.tune", GONE, "limits.tune", "missing; the schedule 'tuned'"),
    # inputs
    ("preprocessing.0", "sourec", "preprocessing", "source, target; did you mean 'source'?"),
    ("resizers.0", "pilow", "resizers", "did you mean 'pillow'?"),
    # devices
    ("devices", {}, "devices", "{}; at least 1 entry"),
    ("devices.a b", REMOTE, "devices", "the name 'a b'; letters, digits"),
    ("devices.cpu.native", "yes", "devices.cpu.native", "'yes'; true or false"),
    ("devices.cpu.thread", 1, "devices.cpu.thread", "unknown key; did you mean 'threads'?"),
    ("devices.cpu.threads", 0, "devices.cpu.threads", "0; at least 1"),
    ("devices.cpu.target", "llvm", "devices.cpu.target", "'llvm'; a mapping with kind"),
    ("devices.cpu.target.kind", "lvm", "devices.cpu.target.kind", "did you mean 'llvm'?"),
    ("devices.cpu.target.mcpuu", "host", "devices.cpu.target.mcpuu", "did you mean 'mcpu'?"),
    ("devices.cpu.target.mattr", "+neon", "devices.cpu.target.mattr", "'+neon'; a list"),
    (
        "devices.gpu",
        GPU | {"target": {"kind": "cuda"}},
        "devices.gpu.target.arch",
        "missing; sm_80",
    ),
    (
        "devices.gpu",
        GPU | {"target": {"kind": "cuda", "arch": "80"}},
        "devices.gpu.target.arch",
        "'80'; sm_",
    ),
    (
        "devices.cpu.slurm.partitoin",
        "a",
        "devices.cpu.slurm.partitoin",
        "did you mean 'partition'?",
    ),
    ("devices.cpu.slurm.gres", "gpu 2", "devices.cpu.slurm.gres", "'gpu 2'; gpu:a100:1"),
    (
        "devices.board",
        REMOTE | {"rpc": RPC | {"port": 70000}},
        "devices.board.rpc.port",
        "70000; at most 65535",
    ),
    (
        "devices.board",
        REMOTE | {"rpc": {"host": "a", "port": 1}},
        "devices.board.rpc.key",
        "missing",
    ),
    (
        "devices.board",
        REMOTE | {"native": True, "rpc": RPC},
        "devices.board.native",
        "true with rpc; expected false",
    ),
    # timing and limits
    ("timing.repeats", 1.5, "timing.repeats", "1.5; a whole number, at least 1"),
    ("timing.contention_tolerance", 2, "timing.contention_tolerance", "2; at most 1"),
    ("timing.probe_tolerence", 1, "timing.probe_tolerence", "did you mean 'probe_tolerance'?"),
    ("limits.infer", 600, "limits.infer", "600; a mapping with seconds, memory_mb"),
    ("limits.infer.second", 1, "limits.infer.second", "unknown key; did you mean 'seconds'?"),
    ("limits.infer.memory_mb", -1, "limits.infer.memory_mb", "-1; a number, more than 0"),
    ("limits.infer.seconds", GONE, "limits.infer.seconds", "missing; a number"),
    ("limits.retries", True, "limits.retries", "true; a whole number, at least 0"),
]


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
