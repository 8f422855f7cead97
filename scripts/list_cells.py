"""List the prediction files of a study's cells, one path per line."""

import argparse
from pathlib import Path

from deltann.execution import cli
from deltann.provenance import files
from deltann.study import resolved


def main(options: argparse.Namespace) -> None:
    """List the cells of the config's grid."""
    text = resolved.cells_text(files.read_json(options.config))
    resolved.write(options.output, text, options.sha256)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--config", type=Path, required=True, help="the resolved config, JSON")
    parser.add_argument("--sha256", required=True, help="expected SHA-256 of the list")
    parser.add_argument("--output", type=Path, required=True, help="the list, text")
    cli.run(main, parser)
