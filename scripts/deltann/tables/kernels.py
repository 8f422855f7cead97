"""The kernels that take the time of each compilation, against the machine's roofline."""

from collections.abc import Iterator

from deltann.dataset import meanings
from deltann.tables import roofline
from deltann.tables.compilations import CELL
from deltann.tables.study import Columns, Study

CATEGORY = "Time"
TITLE = "Which kernels take the time"
NEEDS = "timed kernels"
CAPTION = (
    "One row per compilation and kernel, the 30 that take the most time: calls and milliseconds in "
    "one inference, operations and bytes per second, and how near they come to what the machine "
    "allows: multiplications and additions that stay in registers, and copies of "
    "as many bytes. Both are compiled for the cell's target and measured beside its kernels. They "
    "are of float32: dot products of smaller numbers can do more."
)
COLUMNS: Columns = {
    **{name: meanings.CELL[name] for name in CELL},
    "kernel": ("name of the kernel", ""),
    "calls": ("how often it runs in one inference", "1"),
    "ms": ("time of all its calls in one inference, median of some inferences", "ms"),
    "share_percent": ("of the time in kernels", "percent"),
    "gflops": ("its operations per second, a multiplication with an addition as two", "1e9 s-1"),
    "gbytes": ("bytes of its operands and results per second, each once in a call", "1e9 byte s-1"),
    "limit": ("what limits it by the roofline: 'GFLOP/s' or 'GB/s'", ""),
    "allowed": ("what the roofline allows of that", ""),
    "roofline_percent": ("the roofline's least time over the kernel's", "percent"),
}
# The dataset has all kernels.
MOST = 30


def rows(study: Study) -> Iterator[dict]:
    """One row per compiled model file and kernel, those that take the most time first."""
    compiled = study.cells[study.cells.compiled]
    # the same file has a cell for each preparation of the images
    for cell in compiled.drop_duplicates(CELL).index:
        times = study.kernel_times(cell)
        if times is None:
            continue
        found = roofline.kernels(times).drop(columns="rate")
        names = dict(study.cells.loc[cell, CELL])
        for row in found.head(MOST).to_dict("records"):
            yield names | row
