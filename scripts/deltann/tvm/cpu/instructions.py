"""The instruction that TVM's schedules can put in the place of loops.

`vpdpbusd` of AVX512-VNNI adds to each of sixteen int32 sums four products of uint8 by int8. TVM's
`tvm.s_tir.tensor_intrin.x86.VNNI_DOT_16x4_INTRIN` has operands of int32, where LLVM 22 takes bytes.
"""

from functools import cache

# Of the operands A (uint8), B (int8) and C (int32). Braces: A's shape, its part that the loops
# read, its number for a sum and a product, and C's new value.
_SCRIPT = """
@T.prim_func(s_tir=True)
def function(
    A: T.Buffer({shape}, "uint8", offset_factor=1),
    B: T.Buffer((16, 4), "int8", offset_factor=1),
    C: T.Buffer((16,), "int32", offset_factor=1),
) -> None:
    with T.sblock("root"):
        T.reads(C[0:16], A[{part}], B[0:16, 0:4])
        T.writes(C[0:16])
        {body}
"""
_LOOPS = """for i, k in T.grid(16, 4):
            with T.sblock("update"):
                vi, vk = T.axis.remap("SR", [i, k])
                C[vi] = C[vi] + T.cast(A[{number}], "int32") * T.cast(B[vi, vk], "int32")
"""
_INSTRUCTION = """C[T.ramp(T.int32(0), 1, 16)] = T.call_llvm_pure_intrin(
            T.llvm_lookup_intrinsic_id("llvm.x86.avx512.vpdpbusd.512"),
            C.vload([0], dtype="int32x16"),
            {bytes},
            B.vload([0, 0], dtype="int8x64"),
            dtype="int32x16",
        )
"""
# Four bytes side by side, the same for all sums.
_SAME = """T.reinterpret(
                T.broadcast(T.reinterpret(A.vload([0], "uint8x4"), dtype="int32"), 16),
                dtype="uint8x64",
            )"""
# Four vectors side by side, of which each sum takes a byte.
_OWN = 'T.Shuffle([A.vload([0, 0], dtype="uint8x64")], {order})'


@cache
def dot_product() -> str:
    """The instruction for four numbers that all sums multiply: channels of a pixel.

    Returns:
        The name by which `tvm.s_tir.Schedule.tensorize` knows it.
    """
    return _register("dot_product_16x4_same", "(4,)", "0:4", "vk", _SAME)


@cache
def transposed_dot_product() -> str:
    """The instruction for four numbers of each sum: pixels of its channel.

    Returns:
        The name by which `tvm.s_tir.Schedule.tensorize` knows it.
    """
    order = [k * 16 + lane for lane in range(16) for k in range(4)]
    numbers = _OWN.format(order=order)
    return _register("dot_product_16x4_own", "(4, 16)", "0:4, 0:16", "vk, vi", numbers)


def _register(name: str, shape: str, part: str, number: str, numbers: str) -> str:
    """Make an instruction known to TVM, with the loops that it replaces; return its name."""
    from tvm.s_tir import TensorIntrin
    from tvm.script import from_source, tirx

    loops, instruction = (
        from_source(_SCRIPT.format(shape=shape, part=part, body=body), {"T": tirx})
        for body in (_LOOPS.format(number=number), _INSTRUCTION.format(bytes=numbers))
    )
    TensorIntrin.register(name, loops, instruction, override=True)
    return name
