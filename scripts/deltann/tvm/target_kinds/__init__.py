"""Kinds of TVM targets: one module per kind, with its graph passes, schedules and code generation.

A module offers what `TargetKind` states. Its name is the kind's in TVM. Importing it doesn't
import TVM.
"""

from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from typing import Any, Protocol, cast

from deltann.errors import check_known

CPU, CUDA = "llvm", "cuda"


class TargetKind(Protocol):
    """A module of this package.

    Attributes:
        TARGET_KEYS: the keys of a target of this kind that a config may set.
    """

    TARGET_KEYS: tuple[str, ...]

    def check(self, key: str, target: dict) -> None:
        """Check a config's target whose keys are known.

        Args:
            key: where the target is in the config, for messages.
            target: the target, of this kind.

        Raises:
            StudyError: naming the key, the value, and what was expected.
        """
        ...

    def resolve(self, target: dict) -> dict:
        """The target that TVM takes, from a config's."""
        ...

    def integer_passes(self, tvm_target: Any) -> list:
        """Passes that compute quantized operators in whole numbers; none without instructions."""
        ...

    def layout_passes(self, tvm_target: Any) -> list:
        """The `tvm.transform.Pass`es that `PackLayout` stands for; none where it has no use."""
        ...

    def kernel_passes(self, tvm_target: Any) -> list:
        """Passes that lower operators to kernels that this target can schedule."""
        ...

    def schedule(self, module: Any, tvm_target: Any, name: str, tuned: Any = None) -> tuple:
        """Schedule the kernels of a module.

        Args:
            module: `tvm.IRModule` of TIR kernels.
            tvm_target: `tvm.target.Target`.
            name: one of `cell.SCHEDULES`.
            tuned: a function from a kernel to its fastest measured form, or to None; or None.

        Returns:
            The module, and the sorted names of the kernels that no schedule fits.
        """
        ...

    def lowering(self) -> list:
        """The passes from scheduled kernels to what TVM's virtual machine runs."""
        ...

    def peak_lanes(self, tvm_target: Any) -> int:
        """Numbers in a vector of `cpu.peaks`' kernels, which `build` adds; 0 if it adds none."""
        ...

    def build(self, module: Any, tvm_target: Any, output: Path) -> dict[str, int]:
        """Write a shared library; return the size of each kernel's machine code in bytes."""
        ...


def names() -> list[str]:
    """Every kind's name."""
    return sorted(item.name for item in iter_modules(__path__))


def module(name: str) -> str:
    """The dotted name of a kind's module, for digests of code."""
    return f"{__name__}.{name}"


def get(name: str) -> TargetKind:
    """The module of a kind.

    Raises:
        ValueError: an unknown kind.
    """
    if name not in names():
        raise ValueError(f"target kind {name!r}; expected one of {', '.join(names())}")
    return cast(TargetKind, import_module(module(name)))


def check(key: str, target: dict) -> None:
    """Check a target in the config, without TVM.

    Args:
        key: where the target is in the config, for messages.
        target: the target.

    Raises:
        StudyError: naming the key, the value, and what was expected.
    """
    check_known(f"{key}.kind", target["kind"], names(), "kind")
    kind = get(target["kind"])
    for name in target:
        check_known(f"{key}.{name}", name, kind.TARGET_KEYS, "key")
    kind.check(key, target)
