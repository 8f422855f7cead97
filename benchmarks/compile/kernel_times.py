"""Which kernels of a compiled model take the time, and how near they come to this machine's peaks.

Run by the test environment; `kernel_times.py --help` says what it takes.
"""

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "scripts"))

from deltann.dataset import kernel_times  # noqa: E402  the folder above first
from deltann.provenance import files  # noqa: E402
from deltann.tables import roofline  # noqa: E402


def measure(library: Path, threads: int) -> dict:
    """The attribute `kernel_times` of a cell that runs a compiled library."""
    command = [ROOT / ".envs/tvm/bin/python", Path(__file__).with_name("kernel_worker.py")]
    done = subprocess.run(
        [*command, library, str(threads)],
        env=os.environ | {"PYTHONPATH": str(ROOT / "scripts")},
        stdout=subprocess.PIPE,
        check=True,
        text=True,
    )
    record = files.read_json(Path(f"{library}.json"))
    described = kernel_times.describe(record, json.loads(done.stdout.splitlines()[-1]))
    return json.loads(described["kernel_times"])


def table(library: Path, threads: int, count: int) -> str:
    """The kernels that take the most time, in markdown."""
    times = measure(library, threads)
    found = roofline.kernels(times)
    copies = ", ".join(
        f"{rate / 1e9:.0f} GB/s for {size / 1e6:.3g} MB" for size, rate in times["copies"]
    )
    lines = [
        f"{library}: {found['ms'].sum():.2f} ms in kernels, of which "
        f"{roofline.slow(found)['share_percent'].sum():.0f} % in those below half of what the "
        f"roofline allows. Peaks: {times['flops'] / 1e9:.0f} GFLOP/s; {copies}.",
        "",
        "| kernel | calls | ms | share | GFLOP/s | GB/s | of what the roofline allows |",
        "| --- | ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    for row in found.head(count).itertuples():
        cells = [row.kernel, str(row.calls), f"{row.ms / row.calls:.3f}"]
        cells += [f"{row.share_percent:.0f}%", f"{row.gflops:.0f}", f"{row.gbytes:.0f}"]
        cells.append(f"{row.roofline_percent:.0f}%")
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("library", type=Path, nargs="+", help="a compiled .so of the benchmark")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--kernels", type=int, default=12, help="how many to show")
    options = parser.parse_args()
    for item in options.library:
        print(table(item, options.threads, options.kernels), end="\n\n", flush=True)
