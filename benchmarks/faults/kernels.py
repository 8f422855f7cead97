"""The kernels of a compiled graph, and those that a wrong pass changed.

Run in the environment `tvm`.
"""

import hashlib
from collections import Counter
from typing import Any, NamedTuple

from deltann.tvm.compat import constant
from deltann.tvm.expressions import operator


class Kernel(NamedTuple):
    """One call of a kernel.

    Attributes:
        name: of the function.
        value: what it computes, from the image on: the same for the same computation.
        reads: the values of what it reads.
    """

    name: str
    value: str
    reads: tuple[str, ...]


def kernels(module: Any) -> list[Kernel]:
    """The calls of kernels in `main`, in running order.

    Args:
        module: a `tvm.IRModule` behind the pipeline of `levels`.
    """
    import tvm_ffi
    from tvm import relax

    known: dict[Any, str] = {item: "the image" for item in module["main"].params}

    def value(item: Any) -> str:
        if isinstance(item, relax.Tuple):
            return _joined("tuple", *map(value, item.fields))
        if isinstance(item, relax.TupleGetItem):
            return _joined(f"item {item.index}", value(item.tuple_value))
        number = constant(item)
        if number is not None:
            return hashlib.sha256(f"{number.shape}".encode() + number.tobytes()).hexdigest()
        return known[item] if item in known else str(item)

    found = []
    for block in module["main"].body.blocks:
        for binding in block.bindings:
            call = binding.value
            if operator(call) != "relax.call_tir":
                parts = call.args if operator(call) else []
                known[binding.var] = _joined(str(operator(call)), *map(value, parts))
                if not operator(call):
                    known[binding.var] = value(call)
                continue
            function = module[call.args[0]]
            reads = tuple(map(value, call.args[1].fields))
            written = _joined(str(tvm_ffi.structural_hash(function)), *reads)
            known[binding.var] = written
            found.append(Kernel(call.args[0].name_hint, written, reads))
    return found


def _joined(*parts: str) -> str:
    return hashlib.sha256(" ".join(parts).encode()).hexdigest()


def changed_kernels(right: list[Kernel], wrong: list[Kernel]) -> list[tuple[str, int]]:
    """The first kernels that compute something else.

    Those behind them compute something else only because they read their results.

    Returns:
        Their names, and which of the wrong graph's calls of that name it is, from 0.
    """
    before = {item.value for item in right}
    new = {item.value for item in wrong} - before
    calls, found = Counter[str](), []
    for item in wrong:
        if item.value in new and not new & {*item.reads}:
            found.append((item.name, calls[item.name]))
        calls[item.name] += 1
    return found
