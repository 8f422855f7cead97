"""Tune a model's kernels for a device: each choice of the schedules measured there.

The records are MetaSchedule's, in its database, so that its own tools read them. Its search isn't
used: laid over the rules, there are some dozen choices a kernel, and all can be measured.
"""

import os
import tempfile
import time
from pathlib import Path
from statistics import median

from deltann.formats import folder_tar
from deltann.tvm import target_kinds
from deltann.tvm.cpu import schedules
from deltann.tvm.importers import import_model
from deltann.tvm.levels import pipeline, run
from deltann.tvm.load import load_tvm

# A measurement runs a kernel again and again for about this long.
SECONDS = 0.02
# Times that a kernel's choices are measured in turn, so that noise meets all of them alike.
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
    """Measure choices of schedules for each kernel that a model is compiled to.

    Args:
        framework: the file's format, one of `importers.IMPORTS`.
        passes: the graph passes switched on, of `levels.PASSES`.
        target: TVM target; `mcpu: host` means this machine's.
        threads: of TVM's runtime.
        trials: choices measured per kernel at most, the rules' own and those nearest to it.
        known: a database to start from, whose kernels aren't measured again; or None.
        model_file: the file to read.
        output: the database to write: a tar of MetaSchedule's two JSON files.

    Returns:
        The resolved target, the number of kernels that have choices, of those found in `known`,
        and of measurements, and for each kernel measured now the time of the rules' choice over
        the best one's.
    """
    os.environ["TVM_NUM_THREADS"] = str(threads)  # read once, when TVM starts its pool
    if framework == "torch":
        import torch  # noqa: F401  before TVM: see load_tvm
    tvm = load_tvm()
    kind = target_kinds.get(target["kind"])
    resolved = kind.resolve(target)
    device = tvm.target.Target(resolved)
    with device, tvm.transform.PassContext(opt_level=3):
        sequence = pipeline(passes, kind, device, own_kernels=True)
        module, _ = run(sequence, import_model(Path(model_file), framework), passes)
    kernels = {
        variable.name_hint: workload(function)
        for variable, function in module.functions_items()
        if isinstance(function, tvm.tirx.PrimFunc)
    }
    gains, found = {}, 0
    with tempfile.TemporaryDirectory(prefix="deltann-") as folder:
        if known:
            folder_tar.untar_folder(Path(known), Path(folder))
        database = load(folder)
        choices = {name: schedules.choices(kernel)[:trials] for name, kernel in kernels.items()}
        choices = {name: some for name, some in choices.items() if some}
        for number, (name, some) in enumerate(choices.items(), 1):
            if database.query_tuning_record(kernels[name], device, name) is not None:
                found += 1
                continue
            gains[name] = _measure(database, kernels[name], some, device)
            print(
                f"kernel {number} of {len(choices)}, {name}: {gains[name]:.2f} times as fast as "
                f"by the rules' choice, the best of {len(some)}",
                flush=True,
            )
        folder_tar.tar_folder(Path(folder), Path(output))
    return {
        "target": resolved,
        "kernels": len(choices),
        "found": found,
        "measurements": sum(len(choices[name]) for name in gains),
        "gains": gains,
    }


def workload(kernel):
    """A kernel as MetaSchedule's database knows it: a module whose `main` it is."""
    import tvm

    return tvm.IRModule({"main": kernel.with_attr("global_symbol", "main")})


def load(folder: str):
    """The database in a folder, empty if there is none."""
    from tvm.s_tir import meta_schedule

    return meta_schedule.database.JSONDatabase(work_dir=folder)


def best(database, device):
    """From a kernel to its form by the fastest record of the database, or None without one."""

    def scheduled(kernel):
        found = database.query_schedule(workload(kernel), device, "main")
        return None if found is None else found.mod["main"]

    return scheduled


def _measure(database, kernel, choices: list, device) -> float:
    """Add a record per choice; return the first one's time over the shortest."""
    import tvm
    from tvm.s_tir import meta_schedule

    works = [schedules.schedule(kernel, choice) for choice in choices]
    with tvm.transform.PassContext(config={"tirx.disable_assert": True}):
        built = [tvm.compile(work.mod, target=device).jit() for work in works]
    shapes = meta_schedule.arg_info.ArgInfo.from_entry_func(kernel, remove_preproc=False)
    arguments = _arguments([[int(side) for side in item.shape] for item in shapes])
    seconds = [[] for _ in built]
    for _ in range(ROUNDS):
        for times, library in zip(seconds, built, strict=True):
            times.append(_seconds(library, arguments))
    entry = database.commit_workload(kernel)
    for work, times in zip(works, seconds, strict=True):
        record = meta_schedule.database.TuningRecord(work.trace, entry, times, device, shapes)
        database.commit_tuning_record(record)
    medians = [median(times) for times in seconds]
    return medians[0] / min(medians)


def _arguments(shapes: list[list[int]]) -> list:
    """Random float32 tensors, the same at each call."""
    import numpy as np
    import tvm

    generator = np.random.default_rng(0)
    return [tvm.runtime.tensor(generator.random(shape, np.float32)) for shape in shapes]


def _seconds(library, arguments: list) -> float:
    """Seconds of one run of a built kernel, the mean over about `SECONDS`."""
    import tvm

    start = time.perf_counter()
    library["main"](*arguments)
    number = max(1, round(SECONDS / max(time.perf_counter() - start, 1e-6)))
    evaluator = library.time_evaluator("main", tvm.cpu(), number=number, repeat=1)
    return float(evaluator(*arguments).mean)
