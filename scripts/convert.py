"""Convert a model file to another framework or precision by one converter."""

import argparse
import json
from pathlib import Path

from deltann.execution import cli, stage
from deltann.provenance import records


def main(options: argparse.Namespace) -> None:
    """Convert in a child process."""
    names = ("edge", "converter", "settings", "preprocessing")
    arguments = {name: getattr(options, name) for name in names}
    arguments["before"] = records.read(options.model_file_record).get("details")
    arguments["calibration"] = str(options.calibration) if options.calibration else None
    read = [options.calibration] if options.calibration else []
    stage.run_stage("convert", arguments, options, more_inputs=read)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--edge", required=True, help="the edge's name in the config")
    parser.add_argument("--converter", required=True, help="module in deltann.converters")
    parser.add_argument("--settings", type=json.loads, required=True, help="JSON object")
    parser.add_argument("--calibration", type=Path, help="the prepared calibration images, NetCDF")
    parser.add_argument(
        "--preprocessing", type=json.loads, help="of the calibration images: the model's, JSON"
    )
    stage.arguments(parser)
    cli.run(main, parser)
