"""A small good config, and what can be wrong with one."""

import copy

CODE = ("Snakefile", "rules", "scripts", "envs", "profiles", "config", "report", "published")
LIMIT = {"seconds": 60, "memory_mb": 2000}
CONFIG = {
    "study": "small",
    "images": {"folder": "photographs"},
    "models": ["efficientnet_lite0"],
    "conversions": {"torch": {"torch": [[]], "onnx": [["torch_onnx"]]}},
    "backends": ["native", "O2"],
    "tvm_imports": {"torch": [[]], "onnx": [[]]},
    "edges": {"torch_onnx": {"opset": 18}},
    "devices": {"cpu": {"target": {"kind": "llvm", "mcpu": "host"}, "native": True}},
    "timing": {"repeats": 1, "probe_tolerance": 0.15, "contention_tolerance": 0.05},
    "limits": {stage: dict(LIMIT) for stage in ("export", "convert", "compile", "infer")}
    | {"retries": 0},
}
REMOTE = {
    "target": {"kind": "llvm", "mcpu": "x86-64-v2"},
    "native": False,
    "rpc": {"host": "127.0.0.1", "port": 9090, "key": "lab"},
}
# Names that a shell, a Snakefile or a regular expression would take for more than a name.
ODD = [
    "$(touch pwned) `touch pwned`; touch pwned",
    'it\'s "quoted"',
    "-rf",
    "new\nline  été 猫",
    "a*?[b]",
]


def changed_config(path: str, value: object) -> dict:
    """The config with the value at a dotted path replaced; a value of `...` takes the key away."""
    changed = copy.deepcopy(CONFIG)
    *above, last = path.split(".")
    place = changed
    for name in above:
        place = place[name]
    if value is ...:
        del place[last]
    else:
        place[last] = value
    return changed


# what is bad: the config, and what the message must hold: the key or file, value, expectation
BAD = {
    "unknown model": (
        changed_config("models", ["efficientnet_lite9"]),
        ["models", "'efficientnet_lite9'", "efficientnet_lite0"],
    ),
    "unknown source": (
        changed_config("conversions", {"caffe": {"onnx": [[]]}}),
        ["conversions", "'caffe'", "openvino, tensorflow"],
    ),
    "a source that the model hasn't": (
        changed_config("conversions", {"tflite": {"tflite": [[]]}}),
        ["conversions", "'tflite'", "expected one of keras, torch"],
    ),
    "unknown target": (
        changed_config("conversions.torch.caffe", [[]]),
        ["conversions.torch.caffe", "'caffe'", "openvino, tensorflow"],
    ),
    "unknown level": (
        changed_config("backends", ["native", "O9"]),
        ["backends", "'O9'", "O0, O1, O2"],
    ),
    "unknown converter": (
        changed_config("conversions.torch.onnx", [["torch2onnx"]]),
        ["conversions.torch.onnx", "'torch2onnx'", "torch_onnx"],
    ),
    "unknown converter with settings": (
        changed_config("edges.nothing", {}),
        ["edges.nothing", "'nothing'", "torch_onnx"],
    ),
    "unknown setting": (
        changed_config("edges.torch_onnx", {"opsett": 18}),
        ["edges.torch_onnx", "'opsett'", "expected one of opset"],
    ),
    "unknown kind": (
        changed_config("devices.cpu.target", {"kind": "cuda9"}),
        ["devices.cpu.target", "'cuda9'", "expected one of cuda, llvm"],
    ),
    "unknown key of a target": (
        changed_config("devices.cpu.target", {"kind": "llvm", "mcpuu": "host"}),
        ["devices.cpu.target", "'mcpuu'", "mcpu"],
    ),
    "a route that ends elsewhere": (
        changed_config("conversions.torch.keras", [["torch_onnx"]]),
        ["conversions.torch.keras", "torch_onnx", "ends in onnx", "ends in keras"],
    ),
    "no route at all": (
        changed_config("conversions.torch.tflite", [[]]),
        ["conversions.torch.tflite", "ends in torch", "ends in tflite"],
    ),
    "a converter of another framework": (
        changed_config("conversions.torch.tflite", [["tflite_converter"]]),
        ["conversions.torch.tflite", "'tflite_converter'", "takes tensorflow", "at torch"],
    ),
    "misspelt key": (changed_config("modles", ["a"]), ["modles", "unknown key", "models"]),
    "misspelt key inside": (
        changed_config("timing.repeat", 3),
        ["timing.repeat", "unknown key", "repeats, probe_tolerance, contention_tolerance"],
    ),
    "missing key inside": (
        changed_config("devices.cpu.native", ...),
        [".json: config key devices.cpu.native is missing"],
    ),
    "duplicate model": (
        changed_config("models", ["efficientnet_lite0"] * 2),
        ["models", "['efficientnet_lite0', 'efficientnet_lite0']", "each entry once"],
    ),
    "no model": (changed_config("models", []), ["models", "[]", "at least 1"]),
    "no backend": (changed_config("backends", []), ["backends", "[]", "at least 1"]),
    "no device": (changed_config("devices", {}), ["devices", "{}", "at least 1"]),
    "a text for a list": (changed_config("models", "a"), ["models", "'a'", "a list"]),
    "nothing for a list": (
        changed_config("conversions.torch.onnx", None),
        ["conversions.torch.onnx", "empty", "a list"],
    ),
    "a negative limit": (
        changed_config("limits.infer.seconds", -1),
        ["limits.infer.seconds", "-1", "more than 0"],
    ),
    "no repeats": (changed_config("timing.repeats", 0), ["timing.repeats", "0", "at least 1"]),
    "a missing folder": (
        changed_config("images", {"folder": "nowhere"}),
        ["images.folder", "'nowhere'", "is not a folder"],
    ),
    "a folder without images": (
        changed_config("images", {"folder": "no-images"}),
        ["images.folder", "'no-images'", "has no image", ".jpeg"],
    ),
    "bad labels": (
        changed_config("images", {"folder": "bad-labels"}),
        ["bad-labels/labels.csv, line 2", "'z.png'", "not an image"],
    ),
    "a brace in a name": (
        changed_config("images", {"folder": "braces"}),
        ["images.folder", "'{model}.png'", "would replace"],
    ),
    "names that differ in case": (
        changed_config("images", {"folder": "case"}),
        ["images.folder", "duplicate names", "'A.png'", "'a.png'"],
    ),
    "folder and package": (
        changed_config(
            "images", {"folder": "photographs", "package": "foolbox==3.3.4", "sha256": "0" * 64}
        ),
        ["images", "either folder, or package and sha256"],
    ),
    "a package without a digest": (
        changed_config("images", {"package": "foolbox==3.3.4"}),
        ["images.sha256 is missing", "64 hexadecimal digits"],
    ),
    "another package": (
        changed_config("images", {"package": "requests==2.0", "sha256": "0" * 64}),
        ["images.package", "'requests==2.0'", "foolbox==<version>"],
    ),
    "an import that ends elsewhere": (
        changed_config("conversions.torch.tensorflow", [["torch_onnx", "onnx2tf"]])
        | {"tvm_imports": {"torch": [[]], "onnx": [[]], "tensorflow": [[]]}},
        ["tvm_imports.tensorflow", "ends in tensorflow", "torch or onnx"],
    ),
    "an import of nothing known": (
        changed_config("tvm_imports.onxn", [[]]),
        ["tvm_imports", "'onxn'", "onnx"],
    ),
    "an unknown pass": (
        changed_config("pass_sets", {"mine": ["FuseOps", "FuseOpps"]}),
        ["pass_sets.mine", "'FuseOpps'", "FuseOps, CanonicalizeBindings"],
    ),
    "a set of passes with a level's name": (
        changed_config("pass_sets", {"O2": ["FuseOps"]}),
        ["pass_sets.O2", "the name is taken", "expected another"],
    ),
    "a source that a model doesn't have": (
        changed_config("models", [{"name": "efficientnet_lite0", "sources": ["tflite"]}]),
        ["models.efficientnet_lite0.sources", "'tflite'", "keras, torch"],
    ),
    "batch norms that an exporter can't keep": (
        changed_config("edges.torch_onnx", {"opset": 18, "batch_norms": "kept"}),
        ["edges.torch_onnx", "'dynamo'", "expected exporter torchscript"],
    ),
    "batch norms neither kept nor folded": (
        changed_config("edges.torch_onnx", {"exporter": "torchscript", "batch_norms": "lost"}),
        ["edges.torch_onnx", "'lost'", "expected folded or kept"],
    ),
    "native nowhere": (
        changed_config("devices.cpu.native", False),
        ["devices", "backend native", "native: true"],
    ),
    **{
        f"study {name!r}": (changed_config("study", name), ["study", repr(name), "letters, digits"])
        for name in ("../up", "a b", "$(touch pwned)", "", "-a", "a\n", "images")
    },
    "device name": (
        changed_config("devices", {"a b": CONFIG["devices"]["cpu"]}),
        ["devices", "'a b'", "letters, digits"],
    ),
    "a partition that is more than a name": (
        changed_config("devices.cpu.slurm", {"partition": "main --wrap=pwned"}),
        ["devices.cpu.slurm.partition", "'main --wrap=pwned'", "letters, digits"],
    ),
    "an unknown word of a cluster": (
        changed_config("devices.cpu.slurm", {"nodes": "n1"}),
        ["devices.cpu.slurm", "nodes"],
    ),
    "nodes of its own for another machine": (
        changed_config("devices.cpu", REMOTE | {"slurm": {"exclusive": True}}),
        ["devices.cpu.slurm.exclusive", "True", "with rpc"],
    ),
}
