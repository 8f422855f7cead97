"""What a compilation does to a model: the repairs of its import, and the graph passes."""

from typing import Any, NamedTuple

from deltann.precision import BFLOAT16, FLOAT16
from deltann.tvm.importers import Imported
from deltann.tvm.levels import LOWERING
from deltann.tvm.passes import GraphPass
from deltann.tvm.target_kinds import CPU


class Compilation(NamedTuple):
    """A compilation to judge.

    Attributes:
        imported: the model.
        steps: the graph passes, TVM's and ours, of `levels.kernel_pipeline`.
        passes: the names of those switched on.
        tvm_target: `tvm.target.Target`.
        scheduled: whether schedules of ours were applied.
    """

    imported: Imported
    steps: list[tuple[str | None, Any]]
    passes: list[str]
    tvm_target: Any
    scheduled: bool

    def split(self) -> tuple[list, list]:
        """All passes up to TVM's that lowers the precision, none without it; and those after it."""
        items = [*self.imported.repairs, *(item for _, item in self.steps)]
        names = [item.info.name for item in items]
        count = names.index(LOWERING) + 1 if LOWERING in names else 0
        return items[:count], items[count:]

    def sequence(self, ours_too: int | None = None) -> list:
        """All passes in their order, those of this project up to a number of them; all without.

        None of those before TVM's that lowers the precision is left out: it may need them.
        """
        kept, items = self.split()
        count = 0
        for item in items:
            count += isinstance(item, GraphPass)
            if not isinstance(item, GraphPass) or ours_too is None or count <= ours_too:
                kept.append(item)
        return kept

    def apply(self, module: Any, items: list) -> Any:
        """A module after passes."""
        import tvm

        with self.tvm_target, tvm.transform.PassContext(opt_level=3):
            for item in items:
                module = item(module)
        return module

    def foreign(self) -> str:
        """Why the code doesn't run on this machine's processor; empty if it may."""
        from tvm.target import codegen

        if self.tvm_target.kind.name != CPU:
            return f"it is code for {self.tvm_target.kind.name}, which this check doesn't run"
        here = codegen.llvm_get_system_triple()
        triple = str(self.tvm_target.attrs.get("mtriple", here))
        if triple.split("-")[0] != here.split("-")[0]:
            return f"it is code for {triple}, and this machine is {here}"
        return ""


def half_precision(module: Any) -> bool:
    """Whether any tensor of a module is float16 or bfloat16."""
    from tvm import relax

    found = set()

    def visit(expression: Any) -> None:
        if isinstance(expression, relax.Var) and isinstance(expression.ty, relax.TensorType):
            found.add(str(expression.ty.dtype))

    for function in module.functions.values():
        if isinstance(function, relax.Function):
            relax.analysis.post_order_visit(function, visit)
    return bool(found & {FLOAT16, BFLOAT16})
