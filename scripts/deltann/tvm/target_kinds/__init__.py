"""Kinds of TVM targets, a module each: what graph passes, schedules and files are made for one.

A module has

- `layout_passes(device)`: what the pass `PackLayout` stands for, a list of passes;
- `kernel_passes(device)`: those that make operators the kernels which its schedules are made for;
- `schedule(module, device, name, tuned)`: the module with scheduled kernels, and the names of the
  kernels that no schedule fits;
- `lowering()`: the passes from TIR kernels to what the virtual machine runs;
- `build(module, device, output)`: write the library; return each kernel's machine code in bytes.
"""

from importlib import import_module
from types import ModuleType

from deltann.device import KINDS


def get(device) -> ModuleType:
    """The module of a `tvm.target.Target`.

    Raises:
        ValueError: there is none.
    """
    name = device.kind.name
    if name not in KINDS:
        raise ValueError(f"target kind {name!r}; expected {' or '.join(KINDS)}")
    return import_module(f"deltann.tvm.target_kinds.{name}")
