"""Tuning records: measured schedules of kernels, in a database of MetaSchedule.

Its own tools can read the database, a folder with two JSON files.
"""

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from deltann.formats import folder_tar


def workload(kernel: Any) -> Any:
    """The `tvm.IRModule` by which the database identifies a kernel, with the kernel as `main`."""
    import tvm

    return tvm.IRModule({"main": kernel.with_attr("global_symbol", "main")})


def open_database(folder: str) -> Any:
    """The `JSONDatabase` in a folder; an empty folder is an empty database."""
    from tvm.s_tir import meta_schedule

    return meta_schedule.database.JSONDatabase(work_dir=folder)


def fastest(database_tar: Path, device: Any) -> Callable:
    """The fastest measured form of each kernel.

    Args:
        database_tar: a tar of the database's folder.
        device: `tvm.target.Target` for which it was measured.

    Returns:
        A function from a `tvm.tirx.PrimFunc` to its scheduled form, or to None without a record.
    """
    with tempfile.TemporaryDirectory(prefix="deltann-") as folder:
        database = open_database(str(folder_tar.untar_folder(database_tar, Path(folder))))

    def scheduled(kernel: Any) -> Any:
        record = database.query_schedule(workload(kernel), device, "main")
        return None if record is None else record.mod["main"]

    return scheduled
