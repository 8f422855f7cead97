"""Instructions that TVM's schedules can put in the place of loops."""

from functools import cache

# Sums in registers, which TVM's own description of the instruction doesn't have.
DOT_PRODUCT = "dot_product_16x4_in_registers"
TRANSPOSED = "dot_product_16x4_of_pixels"


@cache
def dot_product() -> str:
    """`vpdpbusd` of AVX512-VNNI: sixteen int32 sums of four products each, uint8 by int8.

    Returns:
        The name by which `tvm.s_tir.Schedule.tensorize` knows it.
    """
    from tvm.s_tir import TensorIntrin
    from tvm.script import tirx as T

    # the names in these functions are TVMScript's
    @T.prim_func(s_tir=True)
    def loops(
        A: T.Buffer((4,), "uint8", offset_factor=1),
        B: T.Buffer((16, 4), "int8", offset_factor=1),
        C: T.Buffer((16,), "int32", offset_factor=1, scope="local"),
    ) -> None:
        with T.sblock("root"):
            T.reads(C[0:16], A[0:4], B[0:16, 0:4])
            T.writes(C[0:16])
            for i in T.serial(0, 16):
                for k in T.serial(0, 4):
                    with T.sblock("update"):
                        vi, vk = T.axis.remap("SR", [i, k])
                        C[vi] = C[vi] + T.cast(A[vk], "int32") * T.cast(B[vi, vk], "int32")

    @T.prim_func(s_tir=True)
    def instruction(
        A: T.Buffer((4,), "uint8", offset_factor=1),
        B: T.Buffer((16, 4), "int8", offset_factor=1),
        C: T.Buffer((16,), "int32", offset_factor=1, scope="local"),
    ) -> None:
        with T.sblock("root"):
            T.reads(C[0:16], A[0:4], B[0:16, 0:4])
            T.writes(C[0:16])
            C[T.ramp(T.int32(0), 1, 16)] = T.call_llvm_pure_intrin(
                T.llvm_lookup_intrinsic_id("llvm.x86.avx512.vpdpbusd.512"),
                C.vload([0], dtype="int32x16"),
                T.reinterpret(
                    T.broadcast(T.reinterpret(A.vload([0], "uint8x4"), dtype="int32"), 16),
                    dtype="uint8x64",
                ),
                B.vload([0, 0], dtype="int8x64"),
                dtype="int32x16",
            )

    TensorIntrin.register(DOT_PRODUCT, loops, instruction, override=True)
    return DOT_PRODUCT


@cache
def transposed_dot_product() -> str:
    """`vpdpbusd` of four vectors of bytes that lie side by side, byte by byte of them.

    Returns:
        The name by which `tvm.s_tir.Schedule.tensorize` knows it.
    """
    from tvm.s_tir import TensorIntrin
    from tvm.script import tirx as T

    order = [k * 16 + lane for lane in range(16) for k in range(4)]

    # the names in these functions are TVMScript's
    @T.prim_func(s_tir=True)
    def loops(
        A: T.Buffer((4, 16), "uint8", offset_factor=1),
        B: T.Buffer((16, 4), "int8", offset_factor=1),
        C: T.Buffer((16,), "int32", offset_factor=1, scope="local"),
    ) -> None:
        with T.sblock("root"):
            T.reads(C[0:16], A[0:4, 0:16], B[0:16, 0:4])
            T.writes(C[0:16])
            for i in T.serial(0, 16):
                for k in T.serial(0, 4):
                    with T.sblock("update"):
                        vi, vk = T.axis.remap("SR", [i, k])
                        C[vi] = C[vi] + T.cast(A[vk, vi], "int32") * T.cast(B[vi, vk], "int32")

    @T.prim_func(s_tir=True)
    def instruction(
        A: T.Buffer((4, 16), "uint8", offset_factor=1),
        B: T.Buffer((16, 4), "int8", offset_factor=1),
        C: T.Buffer((16,), "int32", offset_factor=1, scope="local"),
    ) -> None:
        with T.sblock("root"):
            T.reads(C[0:16], A[0:4, 0:16], B[0:16, 0:4])
            T.writes(C[0:16])
            C[T.ramp(T.int32(0), 1, 16)] = T.call_llvm_pure_intrin(
                T.llvm_lookup_intrinsic_id("llvm.x86.avx512.vpdpbusd.512"),
                C.vload([0], dtype="int32x16"),
                T.Shuffle([A.vload([0, 0], dtype="uint8x64")], order),
                B.vload([0, 0], dtype="int8x64"),
                dtype="int32x16",
            )

    TensorIntrin.register(TRANSPOSED, loops, instruction, override=True)
    return TRANSPOSED
