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

A set of passes may also have `ToMixedPrecision`, which no level has: convolutions and matrix
products of float16, with float32 sums, and what is between them in float16.

With kernels of our schedules, `IntegerArithmetic` comes first at every level, on processors with
instructions for it: quantized convolutions and matrix products in whole numbers. It leaves sets
with `ToMixedPrecision` alone.

`FastMathTransform` also stands for our `fast_activations`: GELU, SiLU and the sigmoid.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from deltann.tvm.target_kinds import TargetKind

_EXTENDED: tuple[str, ...] = ("FoldBatchnormToConv2D", "EliminateCommonSubexpr")
_EXTENDED += ("CombineParallelConv2D", "CombineParallelMatmul", "PackLayout")
_STEPS = (("FuseOps",), ("CanonicalizeBindings", "FoldConstant"), _EXTENDED, ("FastMathTransform",))
# The graph passes of each level. All other passes run at each level.
LEVELS: dict[str, tuple[str, ...]] = {
    f"O{number}": sum(_STEPS[:number], ()) for number in range(len(_STEPS) + 1)
}
PASSES = LEVELS[f"O{len(_STEPS)}"]
# TVM's own pass that lowers the precision, and all passes that a config's `pass_sets` may name.
LOWERING = "ToMixedPrecision"
KNOWN = (*PASSES, LOWERING)


def kernel_pipeline(
    passes: list[str] | tuple[str, ...], kind: "TargetKind", tvm_target: Any, own_kernels: bool
) -> list[tuple[str | None, Any]]:
    """The passes from an imported module to one of TIR kernels, in the order in which they run.

    Args:
        passes: the passes switched on, of `KNOWN`, in any order.
        kind: the module of the target's kind.
        tvm_target: `tvm.target.Target`.
        own_kernels: whether to lower operators to the kernels that the kind's schedules know,
            whatever passes are switched on.

    Returns:
        Each `tvm.transform.Pass` with the name that switched it on. The name is None for passes
        that always run or only prepare another.

    Raises:
        ValueError: an unknown pass.
    """
    for name in passes:
        if name not in KNOWN:
            raise ValueError(f"pass {name!r}; expected one of {', '.join(KNOWN)}")
    # TVM's ToMixedPrecision makes float16 of all convolutions
    whole = kind.integer_passes(tvm_target) if own_kernels and LOWERING not in passes else []
    return [
        *_always(*whole),
        *_graph_passes(passes, kind.layout_passes(tvm_target) if "PackLayout" in passes else []),
        *_always(*(kind.kernel_passes(tvm_target) if own_kernels else [])),
        *_kernel_passes(passes),
    ]


def _graph_passes(passes: Any, layouts: list) -> list:
    """The passes on graphs of operators."""
    from tvm.relax import transform

    from deltann.tvm.passes.combine_parallel_conv2d import combine_parallel_conv2d

    return [
        *_if_on(passes, "FoldBatchnormToConv2D", transform.FoldBatchnormToConv2D),
        *_always(transform.DecomposeOpsForInference()),
        *_folding(passes),
        *_lowering(passes),
        *_if_on(passes, "EliminateCommonSubexpr", transform.EliminateCommonSubexpr),
        *_if_on(passes, "CombineParallelConv2D", combine_parallel_conv2d),
        *_if_on(passes, "CombineParallelMatmul", transform.CombineParallelMatmul),
        *(("PackLayout", item) for item in layouts),
    ]


def _lowering(passes: Any) -> list:
    """Lower the precision, of constants that are folded already; then fold their casts."""
    from tvm.relax import transform

    from deltann.tvm.passes.split_clips import split_clips

    if LOWERING not in passes:
        return []
    lowering = _if_on(passes, LOWERING, split_clips, transform.ToMixedPrecision)
    return [*lowering, *_folding(passes)]


def _kernel_passes(passes: Any) -> list:
    """The passes that make kernels of operators, and fuse them."""
    from tvm.relax import transform

    from deltann.tvm.passes.fast_activations import fast_activations

    return [
        *_always(transform.DeadCodeElimination()),
        *_folding(passes),
        *_if_on(passes, "FastMathTransform", fast_activations, transform.FastMathTransform),
        *_always(transform.LegalizeOps()),
        *_if_on(passes, "FoldConstant", transform.FoldConstant),
        *_always(*([transform.AnnotateTIROpPattern()] if "FuseOps" in passes else [])),
        *_if_on(passes, "FuseOps", transform.FuseOps, transform.FuseTIR),
        *_always(transform.DeadCodeElimination()),
    ]


def _folding(passes: Any) -> list:
    """Constant folding: NumPy first, since it folds faster what both can."""
    from tvm.relax import transform

    from deltann.tvm.passes.fold_arithmetic import fold_arithmetic

    return [
        *_if_on(passes, "CanonicalizeBindings", transform.CanonicalizeBindings),
        *_if_on(passes, "FoldConstant", fold_arithmetic, transform.FoldConstant),
    ]


def _if_on(passes: Any, name: str, *makers: Any) -> list:
    return [(name, make()) for make in makers] if name in passes else []


def _always(*items: Any) -> list:
    return [(None, item) for item in items]


def run(
    steps: list[tuple[str | None, Any]],
    module: Any,
    passes: list[str] | tuple[str, ...],
    look: Callable[[Any], object] = lambda module: None,
) -> Any:
    """Run a pipeline.

    Args:
        steps: from `kernel_pipeline`.
        module: the imported `tvm.IRModule`.
        passes: the passes switched on.
        look: called with the module before TVM makes kernels of all its operators.

    Returns:
        The module, and the sorted names of the passes switched on that changed nothing.
    """
    import tvm_ffi

    busy = set()
    for name, item in steps:
        if item.info.name == "LegalizeOps":
            look(module)
        after = item(module)
        if name and name not in busy and not tvm_ffi.structural_equal(module, after):
            busy.add(name)
        module = after
    return module, sorted(set(passes) - busy)
