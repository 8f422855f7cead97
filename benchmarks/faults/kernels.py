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
        reads: the values of the kernels whose results it reads, as they are or rearranged.
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

    # of each variable, its value and the values of the kernels that it comes from
    known: dict[Any, Known] = {item: Known("the image", ()) for item in module["main"].params}

    def look(item: Any) -> Known:
        if isinstance(item, relax.Tuple):
            return _joined("tuple", *map(look, item.fields))
        if isinstance(item, relax.TupleGetItem):
            return _joined(f"item {item.index}", look(item.tuple_value))
        number = constant(item)
        if number is not None:
            content = f"{number.shape}".encode() + number.tobytes()
            return Known(hashlib.sha256(content).hexdigest(), ())
        if operator(item):
            return _joined(operator(item), *map(look, item.args))
        return known[item] if item in known else Known(str(item), ())

    found = []
    for block in module["main"].body.blocks:
        for binding in block.bindings:
            call = binding.value
            if operator(call) != "relax.call_tir":
                known[binding.var] = look(call)
                continue
            name, reads = call.args[0].name_hint, list(map(look, call.args[1].fields))
            computed = str(tvm_ffi.structural_hash(module[call.args[0]]))
            written = _joined(computed, *reads)
            known[binding.var] = Known(written.value, (written.value,))
            found.append(Kernel(name, written.value, written.kernels))
    return found


class Known(NamedTuple):
    """What is known of a variable: see `kernels`."""

    value: str
    kernels: tuple[str, ...]


def _joined(what: str, *parts: Known) -> Known:
    """What an operation makes of some parts."""
    value = hashlib.sha256(" ".join([what, *(part.value for part in parts)]).encode()).hexdigest()
    return Known(value, tuple(name for part in parts for name in part.kernels))


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
