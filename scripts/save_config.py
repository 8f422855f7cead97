"""Save a study's resolved config, and the record of what the study consists of."""

import argparse
from pathlib import Path

from deltann.execution import cli
from deltann.provenance import records
from deltann.study import resolved


def main(options: argparse.Namespace) -> None:
    """Copy the config, and write the record."""
    text = options.config.read_text(encoding="utf-8")
    resolved.write(options.output, text, options.sha256)
    outputs = [options.output, options.cells]
    records.write(options.record, "save_config", outputs, {}, "", expected=options.expected)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--config", type=Path, required=True, help="the resolved config, JSON")
    parser.add_argument("--sha256", required=True, help="expected SHA-256 of the config")
    parser.add_argument("--cells", type=Path, required=True, help="the list of cells, text")
    parser.add_argument(
        "--expected",
        nargs="+",
        required=True,
        help="files that a finished study has, relative to its folder",
    )
    parser.add_argument("--output", type=Path, required=True, help="the config to write, JSON")
    parser.add_argument("--record", type=Path, required=True, help="its record, JSON")
    cli.run(main, parser)
