"""What the convolutions and matrix products of a Keras file compute in.

It goes by the layers in the file, without Keras: a process that has loaded a model with TensorFlow
can't set the number of threads any more.
"""

import json
import zipfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from deltann.ours import ours
from deltann.precision import FLOAT32, of_operator

# The convolutions and matrix products of a layer by its class; attention has projections too.
PRODUCTS = {
    "Conv1D": 1,
    "Conv2D": 1,
    "Conv3D": 1,
    "Conv1DTranspose": 1,
    "Conv2DTranspose": 1,
    "Conv3DTranspose": 1,
    "DepthwiseConv1D": 1,
    "DepthwiseConv2D": 1,
    "SeparableConv1D": 2,
    "SeparableConv2D": 2,
    "Dense": 1,
    "EinsumDense": 1,
    "Dot": 1,
    "Attention": 2,
    "MultiHeadAttention": 6,
    "GroupQueryAttention": 6,
}
MIXED_POLICY = "mixed_"


def operators(model_file: Path) -> dict[str, int]:
    """See `precisions.Reader`; a layer counts once, however often the model calls it."""
    with ours("reading what a Keras file computes in"):
        with zipfile.ZipFile(model_file) as archive:
            content = json.loads(archive.read("config.json"))
        found: Counter[str] = Counter()
        for item in _objects(content):
            name, config = item.get("class_name"), item.get("config")
            if name in PRODUCTS and isinstance(config, dict):
                found[_precision(config)] += PRODUCTS[name]
        return dict(found)


def _objects(value: Any) -> Iterator[dict]:
    """All dictionaries in a JSON value, also inside others."""
    if isinstance(value, dict):
        yield value
    inside = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    for item in inside:
        yield from _objects(item)


def _precision(config: dict) -> str:
    """The precision of a layer by its configuration."""
    policy = config.get("dtype") or FLOAT32
    policy = policy.get("config", {}) if isinstance(policy, dict) else {"name": policy}
    computed = str(policy.get("source_name") or policy.get("name")).removeprefix(MIXED_POLICY)
    mode = policy.get("mode")
    if mode is None:
        return of_operator(computed, computed)
    # Keras rounds activations unless its configuration says that it has nothing to round them with
    chosen = (config.get("quantization_config") or {}).get("config", {})
    if mode == "int8" and chosen.get("activation_quantizer", mode):
        return of_operator("int8", "int8", dynamic=True)
    return of_operator(computed, mode)
