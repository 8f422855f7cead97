"""Optimization levels O0 to O4: lists of Relax passes, each level the former and more.

| level | adds |
| --- | --- |
| O0 | nothing beyond legalization |
| O1 | operator fusion |
| O2 | constant folding and canonicalization; packed kernels find their weights packed |
| O3 | batch-norm folding into convolutions, common-subexpression elimination, combining of |
|    | parallel branches, packed layouts that stay so from one kernel to the next |
| O4 | fast math |
"""

from dataclasses import dataclass

LEVELS = ("O0", "O1", "O2", "O3", "O4")


@dataclass(frozen=True)
class Vectors:
    """What a target computes with: float32 numbers in a vector register, and such registers."""

    lanes: int
    registers: int


def passes(level: str, vectors: Vectors, packed_kernels: bool) -> list:
    """The passes of a level, in order, from an imported module to one of TIR kernels.

    Args:
        level: one of `LEVELS`.
        vectors: the target's.
        packed_kernels: whether convolutions and matrix products become the kernels that the
            rules of `schedules` are made for, at any level.

    Returns:
        list of `tvm.transform.Pass`.

    Raises:
        ValueError: unknown level.
    """
    if level not in LEVELS:
        raise ValueError(f"level {level!r}; expected one of {', '.join(LEVELS)}")
    from tvm.relax import transform

    from deltann import relax_passes
    from deltann.pack_layout import pack_layout, pack_operators

    number = LEVELS.index(level)
    sizes = vectors.lanes, vectors.registers
    fusion = [transform.AnnotateTIROpPattern(), transform.FuseOps(), transform.FuseTIR()]
    # the first folds quickly what the second also could
    folding = [
        transform.CanonicalizeBindings(),
        relax_passes.fold_arithmetic(),
        transform.FoldConstant(),
    ]
    extended = [
        transform.EliminateCommonSubexpr(),
        transform.CombineParallelMatmul(),
        pack_layout(*sizes),
    ]
    return [
        *([transform.FoldBatchnormToConv2D()] if number >= 3 else []),
        transform.DecomposeOpsForInference(),
        *(folding if number >= 2 else []),
        *(extended if number >= 3 else []),
        *([pack_operators(*sizes)] if packed_kernels else []),
        transform.DeadCodeElimination(),
        *(folding if number >= 2 else []),
        *([transform.FastMathTransform()] if number >= 4 else []),
        transform.LegalizeOps(),
        *([transform.FoldConstant()] if number >= 2 else []),
        *(fusion if number >= 1 else []),
        transform.DeadCodeElimination(),
    ]
