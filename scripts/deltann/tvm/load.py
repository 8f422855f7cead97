"""Import TVM without PyTorch."""

import sys


def load_tvm():
    """The `tvm` module.

    `tvm_ffi` imports PyTorch wherever it is installed, for exchanging tensors that nothing here
    exchanges. It takes three seconds, in every job; so the import is made to fail, as it would
    on a machine that has no PyTorch. Only the import of a PyTorch model needs both: it imports
    PyTorch first.
    """
    sys.modules.setdefault("torch", None)  # type: ignore[arg-type]
    import tvm

    return tvm
