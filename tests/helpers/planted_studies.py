"""Tables of planted studies that figures find hard: no failure, many variants, many devices."""

from pathlib import Path

import numpy as np
import pandas as pd
import xarray as xr

from deltann import registry
from deltann.cell import Cell
from deltann.tables import compute
from deltann.tables.study import Study
from helpers.made_up_cells import CLASSES, IMAGES, REPEATS, cell, failed, lowered, ran, study

Tables = dict[str, pd.DataFrame]
LEVELS = {"O0": 60, "O1": 30, "O2": 18, "O3": 15, "O4": 12}  # milliseconds
DEVICES = ("server-cpu", "laptop-cpu", "nvidia-a100", "agx-xavier", "hikey970-mali")
DEVICES += ("intel-uhd620", "raspberry-pi5", "one-thread")
NATIVE_DEVICES = 4
MODELS = ("mobilenet_v2", "resnet101", "inception_v3")
# Precisions by the last edge of a route.
QUANTIZERS = {
    "ort_static": "int8",
    "ort_dynamic": "int8-dynamic",
    "onnx_float16": "float16",
    "tflite_int8": "int8",
    "tflite_dynamic": "int8-dynamic",
    "tflite_int8_ends": "int8",
    "ai_edge_weights": "float32",
    "nncf_int8": "int8",
}


def where(target: str, *edges: str, backend: str = "native", **names: str) -> Cell:
    """A cell by these edges; other backends than native and levels are a runtime's settings."""
    names["route"] = "+".join(edges) or "unconverted"
    if backend not in LEVELS:
        names |= {"importer": "none", "compiler": "runtime", "schedule": "runtime"}
    return cell(target, backend, **names)


def planted(place: Cell, number: int, **changes: object) -> xr.Dataset:
    """A cell that ran: its time and its logits depend on its backend, its route and the number."""
    precision = QUANTIZERS.get(place.route.split("+")[-1], "float32")
    rng = np.random.default_rng(number)
    converted = place.route != "unconverted" or place.backend in LEVELS
    noise = {"float32": 1.3e-5 * converted}.get(precision, 0.6)
    noise += place.preprocessing != "source"
    logits = np.eye(IMAGES, CLASSES) + noise * rng.normal(size=(IMAGES, CLASSES))
    milliseconds = LEVELS.get(place.backend, 11) * rng.uniform(0.5, 2)
    latency = milliseconds / 1000 * rng.uniform(0.97, 1.03, (IMAGES, REPEATS))
    calm = {"logits": logits.astype(np.float32), "latency": latency}
    return ran(place, **calm | {"lowered": lowered(precision)} | changes)


def calm() -> list[xr.Dataset]:
    """A study like the default one: two conventions, six frameworks, no failure, no disturbance."""
    places = [
        where(target, *edges, backend=backend, preprocessing=preprocessing, model="lite0")
        for target, *edges in (
            ("torch",),
            ("onnx", "torch_onnx"),
            ("onnx", "torch_onnx", "ort_static"),
            ("tflite", "torch_onnx", "onnx2tf", "tflite_converter"),
            ("tflite", "torch_onnx", "onnx2tf", "tflite_int8"),
            ("openvino", "torch_onnx", "onnx_openvino"),
        )
        for preprocessing in ("source", "imagenet")
        for backend in (
            ("native", "openvino-float32") if target == "openvino" else ("native", "O0", "O4")
        )
    ]
    return [planted(place, number) for number, place in enumerate(places)]


def quantized() -> list[xr.Dataset]:
    """A study of many routes and settings of runtimes, some of which failed."""
    onnx = [(), ("ort_static",), ("ort_dynamic",), ("onnx_float16",)]
    tflite = ["tflite_converter", "tflite_int8", "tflite_dynamic", "tflite_int8_ends"]
    tflite += ["tflite_converter+ai_edge_weights"]
    routes = [("torch",), ("torch", "torch_int8"), ("torch", "torch_int8_dynamic")]
    routes += [("onnx", "torch_onnx", *edges) for edges in onnx]
    routes += [("tflite", "torch_onnx", "onnx2tf", edge) for edge in tflite]
    routes += [
        ("openvino", "torch_onnx", "onnx_openvino", *edges) for edges in ((), ("nncf_int8",))
    ]
    settings = {"torch": ["torch-autocast", "torch-bfloat16"], "onnx": ["ort-unfused"]}
    settings |= {"tflite": ["tflite-plain", "tflite-float16"]}
    settings |= {"openvino": ["openvino-float32"]}
    made = []
    for target, *edges in routes:
        for backend in ("native", *settings[target], "O4"):
            place = where(target, *edges, backend=backend, model="efficientnet_lite0")
            fails = edges[-1:] == ["torch_int8_dynamic"] or len(made) % 13 == 7
            drift = {"probe_drift": 1.5} if len(made) % 11 == 5 else {}
            made.append(failed(place) if fails else planted(place, len(made), **drift))
    return made


def levels() -> list[xr.Dataset]:
    """Two sources of a model of the paper, five levels, and failures."""
    made = []
    for source, target, *edges in (
        ("torch", "torch"),
        ("torch", "onnx", "torch_onnx"),
        ("torch", "onnx", "torch_onnx_ts"),
        ("torch", "tflite", "torch_onnx", "onnx2tf", "tflite_converter"),
        ("torch", "tflite", "litert_torch"),
        ("keras", "keras"),
        ("keras", "torch", "keras_onnx_10", "onnx2torch"),
    ):
        for backend in ("native", *LEVELS):
            place = where(target, *edges, backend=backend, source=source, model=MODELS[0])
            fails = len(made) % 17 == 9
            drift = {"probe_drift": 1.5} if len(made) % 11 == 5 else {}
            made.append(failed(place) if fails else planted(place, len(made), **drift))
    return made


def tables(folder: Path, cells: list[xr.Dataset]) -> Tables:
    """The tables that figures draw, of the study of these cells, as read from CSV."""
    names = sorted({figure.table for figure in registry.figures().values()})
    with study(folder, cells) as dataset:
        held = Study(dataset)
        for name in names:
            compute.table(name, held).to_csv(folder / f"{name}.csv", index=False)
    return {name: pd.read_csv(folder / f"{name}.csv") for name in names}


def of_the_papers_size(made: Tables) -> Tables:
    """Tables with each row for three models and eight devices."""
    return {name: _spread(table) for name, table in made.items()}


def _spread(table: pd.DataFrame) -> pd.DataFrame:
    copies = []
    for model in MODELS if "published_model" not in table else MODELS[:1]:
        for number, device in enumerate(DEVICES):
            named = {"device": device, "model": model, "reference_device": DEVICES[0]}
            copy = table.assign(**{key: named[key] for key in named if key in table})
            if "reference" in table:
                # the last ones can't run a framework's runtime
                place = device if number < NATIVE_DEVICES else DEVICES[0]
                texts = copy["reference"].str.replace(MODELS[0], model)
                copy["reference"] = texts.str.replace(r"/cpu$", f"/{place}", regex=True)
            for column in {"median_ms", "ms_low", "ms_high"} & set(table):
                copy[column] = copy[column] * (1 + number / 3)
            if "reference_device" in table:
                for column in ("ratio", "ratio_low", "ratio_high"):
                    copy[column] = copy[column] * (1 + number / 3)
            copies.append(copy)
    spread = pd.concat(copies, ignore_index=True)
    if "published_device" in table:
        absent = spread["status"] == "not in this run"
        spread.loc[absent, "device"] = np.nan
        spread = spread.drop_duplicates()
    return spread
