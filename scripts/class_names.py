"""Write the names of the study's classes as people read them, one a line; or an empty file."""

import argparse
from pathlib import Path

from deltann.execution import cli, environment
from deltann.images import class_names
from deltann.provenance import files, records


def main(options: argparse.Namespace) -> None:
    """Read and write."""
    digest = environment.check(options.environment)
    names: list[str] = []
    if options.class_names:
        names = class_names.read(**options.class_names)
    elif options.published:
        names = class_names.published(options.published)
    files.write_text(options.output, class_names.to_text(names))
    records.write(options.record, "class_names", [options.output], {}, digest)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    origin = parser.add_mutually_exclusive_group()
    cli.class_names_argument(origin)
    origin.add_argument(
        "--published", choices=class_names.PUBLISHED, help="names that a package publishes"
    )
    parser.add_argument("--environment", type=Path, required=True, help="the manifest, JSON")
    parser.add_argument("--output", type=Path, required=True, help="the names, text")
    records.argument(parser)
    cli.run(main, parser)
