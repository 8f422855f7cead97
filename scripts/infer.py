"""Run one cell: its model on every prepared image, to one prediction file."""

import argparse
import json
from pathlib import Path

from deltann.execution import cli, stage
from deltann.stages.infer import infer

if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cell", required=True, help="the cell's names, joined by /")
    parser.add_argument("--runner", required=True, help="module in deltann.runners")
    parser.add_argument("--settings", type=json.loads, required=True, help="the runtime's, JSON")
    parser.add_argument(
        "--preprocessing", type=json.loads, required=True, help="the model's preprocessing, JSON"
    )
    parser.add_argument("--images", type=Path, required=True, help="the prepared images, NetCDF")
    parser.add_argument("--device", type=json.loads, required=True, help="where it runs, JSON")
    parser.add_argument("--repeats", type=int, required=True, help="timed passes")
    parser.add_argument("--output", type=Path, required=True, help="the prediction file")
    parser.add_argument(
        "--code", required=True, help="digest of the code; checkpoints of other code are ignored"
    )
    parser.add_argument(
        "--export-record",
        type=Path,
        required=True,
        help="record of the model's export, JSON: it says what the outputs are",
    )
    stage.limit_arguments(parser)
    stage.model_file_arguments(parser)
    cli.run(infer, parser)
