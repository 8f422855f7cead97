"""Each rewrite before conversion on a model that has what it rewrites; each checks itself.

Run in ONNX's environment: `rewritten_onnx.py <folder> <type>` prints JSON: by rewrite, how many
nodes it changed, how many at a second try, and the kinds of nodes of the result. The type, float32
or float16, is that of the image and of all tensors.
"""

import json
import sys
from pathlib import Path

import numpy as np
import onnx
from onnx import helper, numpy_helper

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "scripts"))

from deltann import spot_check
from deltann.repair import onnx_rewrites

CHANNELS, SIZE = 4, 17
NODE = helper.make_node


def model(path: Path, kind: np.dtype) -> None:
    """Padding of three sorts, a pool that rounds up, activations, batch norms, Gemm and QDQ."""
    random = np.random.default_rng(0)
    arrays = {
        "w1": random.normal(size=(CHANNELS, 3, 3, 3)),
        "w2": random.normal(size=(CHANNELS, CHANNELS, 3, 3)),
        "dense": random.normal(size=(10, CHANNELS)),
        "bias": random.normal(size=10),
        "scale": np.float64(0.05),
        **{name: random.uniform(0.5, 2, CHANNELS) for name in ("g", "b", "m", "v")},
    }
    constants = [
        numpy_helper.from_array(np.asarray(item, kind), name) for name, item in arrays.items()
    ]
    constants.append(numpy_helper.from_array(np.int8(0), "zero"))
    norm = ["g", "b", "m", "v"]
    nodes = [
        NODE("Conv", ["image", "w1"], ["c1"], auto_pad="SAME_UPPER", strides=[2, 2]),
        NODE("BatchNormalization", ["c1", *norm], ["n1"], epsilon=0.01),
        NODE("HardSwish", ["n1"], ["a1"]),
        NODE("Conv", ["a1", "w2"], ["c2"], pads=[0, 1, 2, 1]),
        NODE("Gelu", ["c2"], ["a2"]),
        NODE("Gelu", ["a2"], ["a3"], approximate="tanh"),
        NODE("BatchNormalization", ["a3", *norm], ["n2"]),
        NODE("MaxPool", ["n2"], ["p1"], kernel_shape=[3, 3], strides=[2, 2], ceil_mode=1),
        NODE("MaxPool", ["p1"], ["p2"], kernel_shape=[3, 3], pads=[1] * 4),
        NODE("HardSigmoid", ["p2"], ["h"], alpha=0.3, beta=0.4),
        NODE("QuantizeLinear", ["h", "scale", "zero"], ["q"]),
        NODE("DequantizeLinear", ["q", "scale", "zero"], ["d"]),
        NODE("GlobalAveragePool", ["d"], ["g1"]),
        NODE("Flatten", ["g1"], ["f"]),
        NODE("Gemm", ["f", "dense", "bias"], ["logits"], alpha=0.5, beta=2.0, transB=1),
    ]
    shapes = {"image": [1, 3, SIZE, SIZE], "logits": [1, 10]}
    ends = [
        [helper.make_tensor_value_info(name, helper.np_dtype_to_tensor_dtype(kind), shape)]
        for name, shape in shapes.items()
    ]
    graph = helper.make_graph(nodes, "all", *ends, constants)
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=10)
    onnx.checker.check_model(made, full_check=True)
    onnx.save(made, path)


def main(folder: Path, kind: str) -> None:
    """Rewrite by each, and by all together."""
    before, after, again = (folder / f"{name}.onnx" for name in ("before", "after", "again"))
    model(before, np.dtype(kind))
    found = {}
    for names in [*([name] for name in onnx_rewrites.REWRITES), list(onnx_rewrites.REWRITES)]:
        count = onnx_rewrites.rewrite(names, before, after)
        onnx.checker.check_model(str(after), full_check=True)
        kinds = sorted({node.op_type for node in onnx.load(after).graph.node})
        found[" and ".join(names)] = [count, onnx_rewrites.rewrite(names, after, again), kinds]
    print(json.dumps({"found": found} | spot_check.details()))


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
