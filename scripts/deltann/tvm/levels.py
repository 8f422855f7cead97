"""Optimization levels O0 to O4: lists of graph passes. Each level adds passes to the one before.

| level | adds |
| --- | --- |
| O0 | nothing beyond legalization |
| O1 | `FuseOps`: operators fused into kernels |
| O2 | `FoldConstant`: what depends on no input is computed at compile time, so packed kernels get |
|    | packed weights; `CanonicalizeBindings` |
| O3 | `FoldBatchnormToConv2D`, `EliminateCommonSubexpr`, `CombineParallelConv2D`, |
|    | `CombineParallelMatmul`; `PackLayout`: tensors stay packed from one kernel to the next (not |
|    | on GPUs) |
| O4 | `FastMathTransform`: exp, tanh and erf by approximations |
"""

from dataclasses import dataclass

_EXTENDED: tuple[str, ...] = ("FoldBatchnormToConv2D", "EliminateCommonSubexpr")
_EXTENDED += ("CombineParallelConv2D", "CombineParallelMatmul", "PackLayout")
_STEPS = (("FuseOps",), ("CanonicalizeBindings", "FoldConstant"), _EXTENDED, ("FastMathTransform",))
# The graph passes of each level. All other passes run at each level.
LEVELS: dict[str, tuple[str, ...]] = {
    f"O{number}": sum(_STEPS[:number], ()) for number in range(len(_STEPS) + 1)
}
PASSES = LEVELS[f"O{len(_STEPS)}"]


@dataclass(frozen=True)
class Vectors:
    """The vector unit of a target.

    Attributes:
        lanes: float32 numbers in a vector register.
        registers: how many vectors of a tile (its results, weights and pixels) LLVM keeps in
            registers. About as many as there are registers, since a multiplication can read an
            operand from memory. Measured on a Zen 4 with the convolutions of the paper's models
            and all tiles of up to 14 vectors by 4.
    """

    lanes: int
    registers: int
