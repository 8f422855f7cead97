"""Run by TVM's environment: compile an ONNX model for a GPU, its input named as by Caffe2.

    python odd_input_name.py FOLDER

The last line that it prints is the compilation's `check` as JSON.
"""

import json
import sys
from pathlib import Path

import odd_models
import onnx

from deltann.stages import compile

NAME = "gpu_0/data:0"


def main(folder: Path) -> None:
    """Make the model, rename its input, compile, print."""
    model = odd_models.padded("float32")
    (taken,) = model.graph.input
    for node in model.graph.node:
        node.input[:] = [NAME if name == taken.name else name for name in node.input]
    taken.name = NAME
    onnx.save(model, folder / "named.onnx")
    details = compile.work(
        before={"precision": {"operators": {}}},
        framework="onnx",
        passes=["FuseOps", "FoldConstant"],
        schedule="rules",
        target={"kind": "cuda", "arch": "sm_80"},
        model_file=str(folder / "named.onnx"),
        output=str(folder / "named.so"),
        graph=str(folder / "named.py"),
    )
    print(json.dumps(details["check"]))


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
