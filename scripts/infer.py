"""Run one cell: its model on every prepared image, to one prediction file."""

import argparse
import json
import os
from pathlib import Path

from deltann import compilation, environment, files, infer, program, records
from deltann.cell import Cell


def main(options: argparse.Namespace) -> None:
    """Predict and time in a child process, between two probes."""
    digest = environment.check(options.environment)
    upstream = records.source(options)
    place = options.device
    if "rpc" not in place:  # 0 of another machine's are all that its server has
        place["threads"] = place["threads"] or len(os.sched_getaffinity(0))
    provenance = {
        "commit": infer.commit(),
        "environment": {"name": options.environment.stem, "digest": digest},
        "machine": infer.machine(place["threads"], place),
        "model_file": upstream.get("sha256", ""),
    }
    from deltann import predictions

    cell = Cell(*options.cell.split("/"))
    compiled = compilation.describe(upstream)
    with files.scratch(options.output) as folder:
        if upstream["status"] == "failed":
            dataset = predictions.failed(cell, upstream, _inputs(options), "", provenance, compiled)
        else:
            dataset = _measure(options, cell, folder, provenance, compiled)
    predictions.write(dataset, options.output)


def _measure(options, cell, folder: Path, provenance: dict, compiled: dict):
    import numpy as np
    import xarray as xr

    from deltann import predictions, probe

    with xr.open_dataset(options.images, engine="h5netcdf") as images:
        np.save(folder / "pixels.npy", images["pixels"].values)
        names, true_label = images["image"].values, images["true_label"].values
        inputs_digest = images.attrs["digest"]
    before = probe.seconds()
    arguments = {
        "runner": options.runner,
        "settings": options.settings,
        "source": str(options.source),
        "preprocessing": options.preprocessing,
        "pixels": str(folder / "pixels.npy"),
        "device": options.device,
        "repeats": options.repeats,
        "output": str(folder / "arrays.npz"),
    }
    task = records.start("infer", arguments, records.limits(options), folder)
    outcome = records.finish(task, options.retries_left)
    provenance |= {"peak_memory_bytes": outcome.peak_memory_bytes}
    if outcome.failure:
        failure = records.failed("infer", outcome.failure)
        return predictions.failed(
            cell, failure, _inputs(options), inputs_digest, provenance, compiled
        )
    arrays = np.load(folder / "arrays.npz", allow_pickle=False)
    return predictions.succeeded(
        cell,
        arrays["logits"],
        arrays["latency"],
        names,
        true_label,
        _inputs(options),
        inputs_digest,
        outcome.result.pop("probe_drift", None) or probe.seconds() / before,
        outcome.result.pop("contention"),
        provenance | outcome.result,
        compiled,
    )


def _inputs(options) -> str:
    """Which images, by name: their geometry and resizer."""
    return f"{options.images.parent.name}/{options.images.stem}"


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cell", required=True, help="its names, joined by /")
    parser.add_argument("--runner", required=True, help="module in deltann.runners")
    parser.add_argument("--settings", type=json.loads, required=True, help="the runner's, JSON")
    parser.add_argument(
        "--preprocessing",
        type=json.loads,
        required=True,
        help="the model's, JSON",
    )
    parser.add_argument("--images", type=Path, required=True, help="the prepared images, NetCDF")
    parser.add_argument("--device", type=json.loads, required=True, help="where it runs, JSON")
    parser.add_argument("--repeats", type=int, required=True, help="timed passes")
    parser.add_argument("--output", type=Path, required=True, help="the prediction file")
    records.limit_arguments(parser)
    records.source_arguments(parser)
    program.run(main, parser)
