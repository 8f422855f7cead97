"""What models that TVM alone compiles, and other libraries, answer to one image on this machine.

Libraries run in a process of their own, which may crash.
"""

import multiprocessing
import os
import signal
from pathlib import Path
from typing import TYPE_CHECKING, Any

from deltann.tvm import target_kinds
from deltann.tvm.llvm_names import HOST
from deltann.tvm.load import load_tvm
from deltann.tvm.target_kinds import CPU

if TYPE_CHECKING:
    import numpy as np

# A library that takes longer for one image is given up. TVM's loops, without schedules, take about
# a second for 2·10⁹ operations.
SECONDS = 60


class NoAnswer(Exception):
    """A library gave no answer; the message says why, as `SIGSEGV`."""


def build(module: Any, output: Path) -> None:
    """Compile a module by TVM alone for this machine's processor: its loops, without schedules."""
    import tvm
    from tvm.relax import transform

    kind = target_kinds.get(CPU)
    # LLVM's second-lowest level takes half the time of its highest, and its code is as fast here
    target = tvm.target.Target(kind.resolve({"kind": CPU, "mcpu": HOST}) | {"opt-level": 1})
    operators = [transform.DecomposeOpsForInference(), transform.LegalizeOps()]
    with target, tvm.transform.PassContext(opt_level=3, config={"tirx.disable_assert": True}):
        module = tvm.transform.Sequential([*operators, *kind.lowering()])(module)
        kind.build(module, target, output)


def answers(libraries: list[Path], image: "np.ndarray") -> list["np.ndarray"]:
    """What each library answers, with one thread.

    Args:
        libraries: shared libraries of TVM's virtual machine.
        image: a batch of one, as they take it.

    Raises:
        NoAnswer: of the first library that has none.
    """
    import numpy as np

    folder = libraries[0].parent
    np.save(folder / "image.npy", image)
    context = multiprocessing.get_context("spawn")
    process = context.Process(target=_run, args=([str(path) for path in libraries],))
    process.start()
    process.join(SECONDS * len(libraries))
    late = process.is_alive()
    process.kill()
    process.join()
    found = []
    for path in libraries:
        answer, error = Path(f"{path}.npy"), Path(f"{path}.error.txt")
        if error.exists():
            raise NoAnswer(error.read_text())
        if not answer.exists():
            raise NoAnswer(f"no answer within {SECONDS} s" if late else _end(process.exitcode))
        found.append(np.load(answer))
    return found


def _end(code: int | None) -> str:
    """How a process ended that left no answer."""
    return signal.Signals(-code).name if code and code < 0 else f"exit status {code}"


def _run(libraries: list[str]) -> None:
    """Leave the answer of each library beside it, or the text of the exception."""
    os.environ["TVM_NUM_THREADS"] = "1"
    os.environ["TVM_USE_RUNTIME_LIB"] = "1"
    import numpy as np

    tvm = load_tvm()
    from tvm.runtime.vm import VirtualMachine

    image = tvm.runtime.tensor(np.load(Path(libraries[0]).parent / "image.npy"), tvm.cpu())
    for path in libraries:
        try:
            machine = VirtualMachine(tvm.runtime.load_module(path), tvm.cpu())
            answer = machine["main"](image)
        except Exception as error:  # of any class: it is TVM's
            Path(f"{path}.error.txt").write_text(f"{type(error).__name__}: {error}")
            break
        tensor = answer if isinstance(answer, tvm.runtime.Tensor) else answer[0]
        part = Path(f"{path}.part.npy")
        np.save(part, tensor.numpy())
        part.rename(f"{path}.npy")
    os._exit(0)  # some runtimes crash while they unload
