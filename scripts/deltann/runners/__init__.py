"""Runners: one module per runtime, with its ENVIRONMENT, the SUFFIX of its files, and Runner.

A framework's also has its SETTINGS: what a config may set, and to what; the first is the default.
One whose runtime has GPUs says so by KINDS, the kinds of targets that it runs on; its Runner then
takes `gpu`. One that runs elsewhere has a clock of its own: `timed` in the place of `infer`'s
caller, and `machine`, what it knows of the place.
"""

from importlib import import_module
from pkgutil import iter_modules
from types import ModuleType

from deltann.device import CPU

# TVM's: on this machine, and behind an RPC server.
COMPILED, REMOTE = "tvm", "tvm_rpc"


def frameworks() -> list[str]:
    """Every framework's name: each runner but the compiler's."""
    names = (item.name for item in iter_modules(__path__))
    return sorted(name for name in names if name not in (COMPILED, REMOTE))


def get(name: str) -> ModuleType:
    """The module of a known runner; importing it imports no foreign package."""
    return import_module(f"{__name__}.{name}")


def runs_on(name: str, kind: str) -> bool:
    """Whether a framework's own runtime runs on devices of this kind of target."""
    return kind in getattr(get(name), "KINDS", (CPU,))
