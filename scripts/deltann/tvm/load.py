"""Import TVM without PyTorch."""

import sys
from typing import Any


def load_tvm() -> Any:
    """The `tvm` module.

    `tvm_ffi` imports PyTorch if it is installed, to exchange tensors. That takes three seconds per
    job, and the study exchanges none; so the import is made to fail, as on a machine without
    PyTorch. Importing a PyTorch model into TVM needs both: it must import PyTorch first.
    """
    sys.modules.setdefault("torch", None)  # type: ignore[arg-type]
    import tvm

    return tvm
