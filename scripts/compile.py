"""Compile a model file by TVM at one optimization level for one device."""

import argparse
import json
from pathlib import Path

from deltann.execution import cli, stage
from deltann.provenance import records


def main(options: argparse.Namespace) -> None:
    """Compile in a child process, and leave the graph that the passes made beside the library."""
    names = ("framework", "passes", "schedule", "target")
    arguments = {name: getattr(options, name) for name in names}
    arguments["before"] = records.read(options.model_file_record).get("details")
    stage.run_stage("compile", arguments, options, ("graph",))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--framework", required=True, help="format of the model file")
    parser.add_argument("--passes", type=json.loads, required=True, help="switched on, JSON list")
    parser.add_argument("--schedule", required=True, help="none, rules or tuned")
    parser.add_argument("--database", type=Path, help="of tuning records, for tuned")
    parser.add_argument("--database-record", type=Path, help="its record, JSON")
    parser.add_argument("--target", type=json.loads, required=True, help="TVM target, JSON")
    parser.add_argument("--graph", type=Path, required=True, help="TVMScript of the passes' result")
    stage.arguments(parser)
    cli.run(main, parser)
