"""What differs between the versions of TVM that the study runs: 0.26 and 0.27.

No other module asks for TVM's version.
"""

from functools import cache
from typing import Any


@cache
def _since_027() -> bool:
    """Whether this is TVM 0.27 or later."""
    import tvm

    return tuple(map(int, tvm.__version__.split(".")[:2])) >= (0, 27)


def constant(expression: Any) -> Any:
    """The value of a Relax constant as a `numpy.ndarray`; None for any other expression.

    0.26 has it in `data`, 0.27 in `value`.
    """
    if not is_constant(expression):
        return None
    return (expression.value if _since_027() else expression.data).numpy()


def is_constant(expression: Any) -> bool:
    """Whether a Relax expression is a constant.

    0.26 has `relax.Constant`. In 0.27 it is `ir.expr.GenericConst`, for all dialects.
    """
    from tvm import ir, relax

    return isinstance(expression, ir.expr.GenericConst if _since_027() else relax.Constant)


def written_buffer(work: Any, block: Any) -> Any:
    """The first `tirx.Buffer` that a block of a `tvm.s_tir.Schedule` writes.

    0.27 renamed `BufferRegion.buffer` to `source`.
    """
    region = work.get(block).writes[0]
    return region.source if _since_027() else region.buffer


def last_read_buffer(work: Any, block: Any) -> Any:
    """The last `tirx.Buffer` that a block of a `tvm.s_tir.Schedule` reads."""
    region = work.get(block).reads[-1]
    return region.source if _since_027() else region.buffer


def with_block_body(realize: Any, body: Any) -> Any:
    """A kernel's outermost block with another body. 0.27 moved its class to another module."""
    block = realize.block
    fields = (block.iter_vars, block.reads, block.writes, block.name_hint, body, block.init)
    other = type(block)(*fields, block.alloc_buffers, block.match_buffers, block.annotations)
    return type(realize)(realize.iter_values, realize.predicate, other)
