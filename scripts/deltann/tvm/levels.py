"""Optimization levels O0 to O4: lists of graph passes, each level the former and more.

| level | adds |
| --- | --- |
| O0 | nothing beyond legalization |
| O1 | `FuseOps`: operators fused into kernels |
| O2 | `FoldConstant`: whatever depends on no input is computed now, so that packed kernels find |
|    | their weights packed; `CanonicalizeBindings` |
| O3 | `FoldBatchnormToConv2D`, `EliminateCommonSubexpr`, `CombineParallelConv2D`, |
|    | `CombineParallelMatmul`; `PackLayout`: tensors stay packed from one kernel to the next, |
|    | where vectors want it: not on GPUs |
| O4 | `FastMathTransform`: exp, tanh and erf by approximations |
"""

from dataclasses import dataclass
from types import ModuleType

_EXTENDED = ("FoldBatchnormToConv2D", "EliminateCommonSubexpr")
_EXTENDED += ("CombineParallelConv2D", "CombineParallelMatmul", "PackLayout")
_STEPS = (("FuseOps",), ("CanonicalizeBindings", "FoldConstant"), _EXTENDED, ("FastMathTransform",))
# The graph passes of each level; what else runs, runs at each.
LEVELS: dict[str, tuple[str, ...]] = {
    f"O{number}": sum(_STEPS[:number], ()) for number in range(len(_STEPS) + 1)
}
PASSES = LEVELS["O4"]


@dataclass(frozen=True)
class Vectors:
    """What a target computes with.

    Attributes:
        lanes: float32 numbers in a vector register.
        registers: how many of a tile's results, weights and pixels together LLVM still keeps out
            of memory: about as many as there are registers, since a multiplication can read an
            operand from memory. Measured with the convolutions of the paper's models on a Zen 4,
            all tiles of up to 14 vectors by 4.
    """

    lanes: int
    registers: int


def pipeline(
    passes: list[str] | tuple[str, ...], kind: ModuleType, device, own_kernels: bool
) -> list[tuple[str | None, object]]:
    """The passes from an imported module to one of TIR kernels, in the order in which they run.

    Args:
        passes: those switched on, any of `PASSES`, in any order.
        kind: the target's, of `kinds`.
        device: `tvm.target.Target`.
        own_kernels: whether operators become the kernels that the schedules of the kind are made
            for, whatever is switched on.

    Returns:
        Each `tvm.transform.Pass` with the name that switched it on, None for those that always
        run or only prepare another.

    Raises:
        ValueError: unknown pass.
    """
    for name in passes:
        if name not in PASSES:
            raise ValueError(f"pass {name!r}; expected one of {', '.join(PASSES)}")
    from tvm.relax import transform

    from deltann.tvm.passes import fold_arithmetic
    from deltann.tvm.passes.combine_parallel_conv2d import combine_parallel_conv2d

    def when(name: str, *makers) -> list:
        return [(name, make()) for make in makers] if name in passes else []

    def always(*items) -> list:
        return [(None, item) for item in items]

    def folding() -> list:
        # the first folds quickly what the second also could
        quick = when("FoldConstant", fold_arithmetic.fold_arithmetic, transform.FoldConstant)
        return when("CanonicalizeBindings", transform.CanonicalizeBindings) + quick

    fusing = "FuseOps" in passes
    layouts = kind.layout_passes(device) if "PackLayout" in passes else []
    return [
        *when("FoldBatchnormToConv2D", transform.FoldBatchnormToConv2D),
        *always(transform.DecomposeOpsForInference()),
        *folding(),
        *when("EliminateCommonSubexpr", transform.EliminateCommonSubexpr),
        *when("CombineParallelConv2D", combine_parallel_conv2d),
        *when("CombineParallelMatmul", transform.CombineParallelMatmul),
        *(("PackLayout", item) for item in layouts),
        *always(*(kind.kernel_passes(device) if own_kernels else [])),
        *always(transform.DeadCodeElimination()),
        *folding(),
        *when("FastMathTransform", transform.FastMathTransform),
        *always(transform.LegalizeOps()),
        *when("FoldConstant", transform.FoldConstant),
        *always(*([transform.AnnotateTIROpPattern()] if fusing else [])),
        *when("FuseOps", transform.FuseOps, transform.FuseTIR),
        *always(transform.DeadCodeElimination()),
    ]


def run(steps: list[tuple[str | None, object]], module, passes: list[str] | tuple[str, ...]):
    """Run a pipeline.

    Args:
        steps: of `pipeline`.
        module: the imported `tvm.IRModule`.
        passes: those switched on.

    Returns:
        The module, and the names of the passes switched on that found nothing to do.
    """
    import tvm_ffi

    busy = set()
    for name, item in steps:
        after = item(module)
        if name and name not in busy and not tvm_ffi.structural_equal(module, after):
            busy.add(name)
        module = after
    return module, sorted(set(passes) - busy)
