"""Build one pinned environment and describe what was installed."""

import argparse
from pathlib import Path

from deltann.execution import cli, environment


def main(options: argparse.Namespace) -> None:
    """Build and describe."""
    environment.build(options.name, options.pins, options.output)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--name", required=True, help="name of the environment")
    parser.add_argument("--pins", nargs="+", required=True, help="requirements, name==version")
    parser.add_argument("--output", type=Path, required=True, help="the manifest, JSON")
    cli.run(main, parser)
