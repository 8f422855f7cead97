"""Optimization levels O0 to O4: lists of Relax passes, each level the former and more.

| level | adds |
| --- | --- |
| O0 | nothing beyond legalization |
| O1 | operator fusion |
| O2 | constant folding and canonicalization |
| O3 | batch-norm folding into convolutions, common-subexpression elimination, combining of |
|    | parallel branches, layout conversion to channels last |
| O4 | fast math |
"""

LEVELS = ("O0", "O1", "O2", "O3", "O4")


def passes(level: str) -> list:
    """The passes of a level, in order, from an imported module to one of TIR kernels.

    Args:
        level: one of `LEVELS`.

    Returns:
        list of `tvm.transform.Pass`.

    Raises:
        ValueError: unknown level.
    """
    if level not in LEVELS:
        raise ValueError(f"level {level!r}; expected one of {', '.join(LEVELS)}")
    from tvm.relax import transform

    from deltann import relax_passes

    number = LEVELS.index(level)
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
        transform.ConvertLayout({"relax.nn.conv2d": ["NHWC", "HWIO"]}),
        relax_passes.cancel_transposes(),
        transform.DeadCodeElimination(),
        *folding,
    ]
    return [
        *([transform.FoldBatchnormToConv2D()] if number >= 3 else []),
        transform.DecomposeOpsForInference(),
        *(folding if number >= 2 else []),
        *(extended if number >= 3 else []),
        transform.LegalizeOps(),
        *([transform.FoldConstant()] if number >= 2 else []),
        *([transform.FastMathTransform()] if number >= 4 else []),
        *(fusion if number >= 1 else []),
        transform.DeadCodeElimination(),
    ]
