"""Build one pinned environment and describe what was installed."""

import argparse
from pathlib import Path

from deltann.execution import cli, environment


def main(options: argparse.Namespace) -> None:
    """Build and describe."""
    environment.build(options.folder, options.pins, options.output)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, required=True, help="the environment to make")
    parser.add_argument("--pins", nargs="+", required=True, help="requirements, name==version")
    parser.add_argument("--output", type=Path, required=True, help="the manifest, JSON")
    cli.run(main, parser)
