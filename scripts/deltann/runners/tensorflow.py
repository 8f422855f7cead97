"""TensorFlow: a SavedModel's serving signature, called as a concrete function.

Settings: `onednn`, whether to use oneDNN's operators instead of TensorFlow's own; `bfloat16`,
whether to compute in bfloat16 where oneDNN can (auto_mixed_precision_onednn_bfloat16).
"""

import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from deltann import spot_check
from deltann.formats import folder_tar
from deltann.formats.precisions import tensorflow as precisions
from deltann.formats.tensor_types import TensorType
from deltann.precision import look
from deltann.runners import LocalRunner
from deltann.tvm.target_kinds import CPU

if TYPE_CHECKING:
    import numpy as np

ENVIRONMENT = "tensorflow"
SUFFIX = ".savedmodel.tar"
TARGET_KINDS = (CPU,)
SETTINGS = {"onednn": (True, False), "bfloat16": (False, True)}


def start(threads: int, onednn: bool, bfloat16: bool) -> Any:
    """Import TensorFlow: without its log, deterministic, on this many threads."""
    os.environ["TF_ENABLE_ONEDNN_OPTS"] = str(int(onednn))
    # either variable may let oneDNN round float32 to bfloat16 in silence
    os.environ["ONEDNN_DEFAULT_FPMATH_MODE"] = "STRICT"
    os.environ.pop("TF_SET_ONEDNN_FPMATH_MODE", None)
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
    import tensorflow

    tensorflow.config.set_visible_devices([], "GPU")
    tensorflow.config.threading.set_intra_op_parallelism_threads(threads)
    tensorflow.config.threading.set_inter_op_parallelism_threads(1)
    tensorflow.config.experimental.enable_op_determinism()
    if bfloat16:
        options = {"auto_mixed_precision_onednn_bfloat16": True}
        tensorflow.config.optimizer.set_experimental_options(options)
    return tensorflow


def computed(call: Callable[[], object]) -> dict[str, int]:
    """What the graph functions of a call compute in, after TensorFlow's changes to them.

    Args:
        call: runs them for the first time.
    """
    from tensorflow.python.eager import context

    eager = context.context()
    eager.enable_run_metadata()
    call()
    graphs = eager.export_run_metadata().partition_graphs
    eager.disable_run_metadata()
    nodes = [node for graph in graphs for node in graph.node]
    functions = [item for graph in graphs for item in graph.library.function]
    return precisions.of_nodes(nodes, functions)


class Runner(LocalRunner):
    """Load and run a tarred SavedModel."""

    def __init__(self, model_file: Path, threads: int, onednn: bool = True, bfloat16: bool = False):
        self.model_file, self.threads, self.onednn = model_file, threads, onednn
        self.bfloat16 = bfloat16

    def __enter__(self) -> "Runner":
        tensorflow = start(self.threads, self.onednn, self.bfloat16)
        self.folder = tempfile.TemporaryDirectory(prefix="deltann-")
        # the loaded object owns the variables, so it must outlive the signature
        self.model = tensorflow.saved_model.load(
            str(folder_tar.untar_folder(self.model_file, Path(self.folder.name)))
        )
        self.function = self.model.signatures["serving_default"]
        ((self.name, declared),) = self.function.structured_input_signature[1].items()
        self.input_shape = (1, *declared.shape[1:])
        self.input_type = TensorType(declared.dtype.name)
        self.constant = tensorflow.constant
        if self.bfloat16:
            image = spot_check.image(self.input_shape, self.input_type.dtype)
            self.operators = look(
                "what TensorFlow computes in", lambda: computed(lambda: self.run(image))
            )
        return self

    def __exit__(self, *_: object) -> None:
        self.folder.cleanup()

    def run(self, batch: "np.ndarray") -> "np.ndarray":
        """See `runners.LocalRunner`."""
        (answer,) = self.function(**{self.name: self.constant(batch)}).values()
        return answer.numpy()


def versions() -> dict[str, str]:
    """The runtime's version."""
    import tensorflow

    return {"tensorflow": tensorflow.__version__}
