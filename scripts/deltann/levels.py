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

    number = LEVELS.index(level)
    graph, kernels, fusion = [], [], []
    if number >= 3:
        graph += [
            transform.FoldBatchnormToConv2D(),
        ]
    graph += [transform.DecomposeOpsForInference()]
    if number >= 2:
        graph += [transform.CanonicalizeBindings(), transform.FoldConstant()]
    if number >= 3:
        graph += [
            transform.EliminateCommonSubexpr(),
            transform.CombineParallelMatmul(),
            transform.ConvertLayout({"relax.nn.conv2d": ["NHWC", "HWIO"]}),
            transform.FoldConstant(),
            transform.CanonicalizeBindings(),
        ]
    kernels += [transform.LegalizeOps()]
    if number >= 2:
        kernels += [transform.FoldConstant()]
    if number >= 4:
        kernels += [transform.FastMathTransform()]
    if number >= 1:
        fusion += [
            transform.AnnotateTIROpPattern(),
            transform.FuseOps(),
            transform.FuseTIR(),
        ]
    return graph + kernels + fusion + [transform.DeadCodeElimination()]
