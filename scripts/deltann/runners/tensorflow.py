"""TensorFlow: a SavedModel's serving signature, called as a concrete function.

Settings: `onednn`, whether to use oneDNN's operators instead of TensorFlow's own.
"""

import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from deltann.formats import folder_tar
from deltann.formats.tensor_types import TensorType
from deltann.runners import LocalRunner
from deltann.tvm.target_kinds import CPU

if TYPE_CHECKING:
    import numpy as np

ENVIRONMENT = "tensorflow"
SUFFIX = ".savedmodel.tar"
TARGET_KINDS = (CPU,)
SETTINGS = {"onednn": (True, False)}


def start(threads: int, onednn: bool) -> Any:
    """Import TensorFlow: without its log, deterministic, on this many threads."""
    os.environ["TF_ENABLE_ONEDNN_OPTS"] = str(int(onednn))
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
    import tensorflow

    tensorflow.config.set_visible_devices([], "GPU")
    tensorflow.config.threading.set_intra_op_parallelism_threads(threads)
    tensorflow.config.threading.set_inter_op_parallelism_threads(1)
    tensorflow.config.experimental.enable_op_determinism()
    return tensorflow


class Runner(LocalRunner):
    """Load and run a tarred SavedModel."""

    def __init__(self, model_file: Path, threads: int, onednn: bool = True):
        self.model_file, self.threads, self.onednn = model_file, threads, onednn

    def __enter__(self) -> "Runner":
        tensorflow = start(self.threads, self.onednn)
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
