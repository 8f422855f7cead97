"""OpenVINO on the CPU, one request at a time.

By default OpenVINO computes in bfloat16 where the processor has instructions for it. It also rounds
activations to 8 bits, by a scale for each 32 numbers, in front of fully connected layers whose
weights have 8 bits, even if float32 is asked for.

Settings: `precision`, the type to compute in instead; OpenVINO takes no notice where the processor
can't. `execution_mode`: `accuracy` computes in the file's own types and doesn't round activations.
"""

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

from deltann import spot_check
from deltann.formats import openvino_ir
from deltann.formats.precisions import openvino as precisions
from deltann.precision import INT8_DYNAMIC, look
from deltann.runners import LocalRunner
from deltann.tvm.target_kinds import CPU

if TYPE_CHECKING:
    import numpy as np

ENVIRONMENT = "openvino"
SUFFIX = ".openvino.tar"
TARGET_KINDS = (CPU,)
DEFAULT = "default"  # what OpenVINO chooses for the processor
SETTINGS = {
    "precision": (DEFAULT, "f32", "bf16", "f16"),
    "execution_mode": ("performance", "accuracy"),
}


class Runner(LocalRunner):
    """Load and run a tarred IR."""

    def __init__(
        self,
        model_file: Path,
        threads: int,
        precision: str = DEFAULT,
        execution_mode: str = "performance",
    ):
        self.model_file = model_file
        self.config = {
            "PERFORMANCE_HINT": "LATENCY",
            "NUM_STREAMS": 1,
            "EXECUTION_MODE_HINT": execution_mode.upper(),
        }
        if threads:
            self.config["INFERENCE_NUM_THREADS"] = threads
        if precision != DEFAULT:
            self.config["INFERENCE_PRECISION_HINT"] = precision

    def __enter__(self) -> "Runner":
        model = openvino_ir.read(self.model_file)
        compiled = self._compile(model)
        self.request = compiled.create_infer_request()
        (declared,), (_,) = compiled.inputs, compiled.outputs
        self.input_shape = tuple(declared.shape)
        self.input_type = openvino_ir.input_type(model)
        self.output_type = openvino_ir.output_type(model)
        self.operators = look(
            "what OpenVINO computes in", lambda: dict(Counter(self._executed(model, compiled)))
        )
        return self

    def _compile(self, model: Any, **more: object) -> Any:
        core = openvino_ir.start().Core()
        return core.compile_model(model, "CPU", {**self.config, **more})

    def _executed(self, model: Any, compiled: Any) -> list[str]:
        """The precision of each operator, see `precisions.openvino.executed`.

        Nothing tells whether activations are rounded to 8 bits at run time, so an answer must.
        """
        found = precisions.executed(model, compiled)
        if any(item.may_round for item in found):
            image = spot_check.image(self.input_shape, self.input_type.dtype)
            plain = self._compile(model, DYNAMIC_QUANTIZATION_GROUP_SIZE=0).create_infer_request()
            if spot_check.difference(plain.infer({0: image})[0], self.run(image)):
                return [INT8_DYNAMIC if item.may_round else item.precision for item in found]
        return [item.precision for item in found]

    def __exit__(self, *_: object) -> None:
        del self.request

    def run(self, batch: "np.ndarray") -> "np.ndarray":
        """See `runners.LocalRunner`."""
        return self.request.infer({0: batch}, share_inputs=True)[0]


def versions() -> dict[str, str]:
    """The runtime's version."""
    from importlib import metadata

    return {"openvino": metadata.version("openvino")}
