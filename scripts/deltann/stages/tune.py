"""Tune a model's kernels: measure every choice of their schedules on the device.

The result is a database of MetaSchedule. Its search isn't used: our rules leave some dozen choices
per kernel, few enough to measure all.
"""

import os
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import Any

from deltann.formats import folder_tar
from deltann.ours import ours
from deltann.tvm import levels, pipeline, target_kinds, tuning
from deltann.tvm.cpu import prefetch, schedules
from deltann.tvm.importers import import_model

# A measurement runs a kernel repeatedly for about this long.
SECONDS = 0.02
# How often all choices of a kernel are measured in turn, so that noise affects all of them alike.
ROUNDS = 5


def work(
    framework: str,
    passes: list[str],
    target: dict,
    threads: int,
    trials: int,
    known: str | None,
    model_file: str,
    output: str,
) -> dict:
    """Measure choices of schedules for each kernel of a compiled model.

    Args:
        framework: the file's format, one of `importers.IMPORTS`.
        passes: the graph passes switched on, of `levels.PASSES`.
        target: TVM target; `mcpu: host` means this machine's.
        threads: the number of threads of TVM's runtime.
        trials: the largest number of choices per kernel: the rules' own and those nearest to it.
        known: a database to start from, or None. Its kernels aren't measured again.
        model_file: the file to compile.
        output: the database to write: a tar of MetaSchedule's two JSON files.

    Returns:
        The resolved `target`; the number of `kernels` with choices, of those `found` in `known`,
        and of `measurements`; `gains`, for each kernel that was measured the time of the rules'
        choice over that of the best.
    """
    os.environ["TVM_NUM_THREADS"] = str(threads)  # read once, when TVM starts its threads
    tvm = pipeline.start_tvm(framework)
    resolved = target_kinds.get(target["kind"]).resolve(target)
    tvm_target = tvm.target.Target(resolved)
    kernels = _kernels(Path(model_file), framework, passes, tvm_target)
    choices = {name: schedules.choices(kernel)[:trials] for name, kernel in kernels.items()}
    choices = {name: some for name, some in choices.items() if some}
    with tempfile.TemporaryDirectory(prefix="deltann-") as folder:
        if known:
            folder_tar.untar_folder(Path(known), Path(folder))
        gains = _measure_all(folder, kernels, choices, tvm_target)
        folder_tar.tar_folder(Path(folder), Path(output))
    return {
        "target": resolved,
        "kernels": len(choices),
        "found": len(choices) - len(gains),
        "measurements": sum(len(choices[name]) for name in gains),
        "gains": gains,
    }


def _kernels(model_file: Path, framework: str, passes: list[str], tvm_target: Any) -> dict:
    """The kernels that a model is compiled to, by name, as workloads of the database."""
    import tvm

    kind = target_kinds.get(tvm_target.kind.name)
    with tvm_target, tvm.transform.PassContext(opt_level=3):
        steps = levels.kernel_pipeline(passes, kind, tvm_target, own_kernels=True)
        module, _ = levels.run(steps, import_model(model_file, framework).repaired(), passes)
    return {
        variable.name_hint: tuning.workload(function)
        for variable, function in module.functions_items()
        if isinstance(function, tvm.tirx.PrimFunc)
    }


def _measure_all(folder: str, kernels: dict, choices: dict[str, list], tvm_target: Any) -> dict:
    """Measure each kernel that the database in a folder doesn't have; return their gains."""
    database = tuning.open_database(folder)
    gains = {}
    for number, (name, some) in enumerate(choices.items(), 1):
        if database.query_tuning_record(kernels[name], tvm_target, name) is None:
            gains[name] = _measure(database, kernels[name], some, tvm_target)
            print(
                f"kernel {number} of {len(choices)}, {name}: the best of {len(some)} choices is "
                f"{gains[name]:.2f} times as fast as the rules' choice",
                flush=True,
            )
    return gains


def _measure(database: Any, kernel: Any, choices: list, tvm_target: Any) -> float:
    """Add a record for each choice; return the time of the first over the shortest."""
    import tvm
    from tvm.s_tir import meta_schedule

    with ours("the schedules for processors"):
        works = [schedules.schedule(kernel, choice) for choice in choices]
        complete = [tvm.IRModule({"main": prefetch.insert(work.mod["main"])}) for work in works]
    with tvm.transform.PassContext(config={"tirx.disable_assert": True}):
        built = [tvm.compile(module, target=tvm_target).jit() for module in complete]
    shapes = meta_schedule.arg_info.ArgInfo.from_entry_func(kernel, remove_preproc=False)
    arguments = _arguments([([int(side) for side in x.shape], str(x.dtype)) for x in shapes])
    seconds: list[list[float]] = [[] for _ in built]
    for _ in range(ROUNDS):
        for times, library in zip(seconds, built, strict=True):
            times.append(_seconds(library, arguments))
    entry = database.commit_workload(kernel)
    for work, times in zip(works, seconds, strict=True):
        record = meta_schedule.database.TuningRecord(work.trace, entry, times, tvm_target, shapes)
        database.commit_tuning_record(record)
    medians = [median(times) for times in seconds]
    return medians[0] / min(medians)


def _arguments(tensors: list[tuple[list[int], str]]) -> list:
    """Random tensors of these shapes and types, the same in each call: from 0 to 1, or to 100."""
    import numpy as np
    import tvm

    generator = np.random.default_rng(0)
    most = {kind: 1 if "float" in kind else 100 for _, kind in tensors}
    arrays = [
        (most[kind] * generator.random(shape, np.float32)).astype(kind) for shape, kind in tensors
    ]
    return [tvm.runtime.tensor(array) for array in arrays]


def _seconds(library: Any, arguments: list) -> float:
    """Mean seconds of one run of a compiled kernel, over runs of about `SECONDS` in all."""
    import tvm

    start = time.perf_counter()
    library["main"](*arguments)
    number = max(1, round(SECONDS / max(time.perf_counter() - start, 1e-6)))
    evaluator = library.time_evaluator("main", tvm.cpu(), number=number, repeat=1)
    return float(evaluator(*arguments).mean)
