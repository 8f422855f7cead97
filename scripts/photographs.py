"""List the study's photographs with their true labels and checksums."""

import argparse
from pathlib import Path

from deltann.execution import cli, environment
from deltann.images import class_names, listing
from deltann.images.collection import UNKNOWN_LABEL
from deltann.provenance import files, records


def main(options: argparse.Namespace) -> None:
    """List and write."""
    digest = environment.check(options.environment)
    subset = {"count": options.count, "seed": options.seed, "list": options.list}
    given = {key: value for key, value in subset.items() if value is not None}
    named = class_names.read(**options.class_names) if options.class_names else []
    entries = listing.list_photographs(options.images, given, options.classes, named)
    files.write_text(options.output, listing.to_csv(entries))
    records.write(options.record, "photographs", [options.output], {}, digest)
    labelled = sum(entry.label != UNKNOWN_LABEL for entry in entries)
    print(f"{len(entries)} photographs, {labelled} of them labelled")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=Path, required=True, help="folder, wheel or archive")
    subset = parser.add_mutually_exclusive_group()
    subset.add_argument("--count", type=int, help="select so many, by --seed")
    subset.add_argument("--list", help="select those that this file names, one per line")
    parser.add_argument("--seed", type=int, help="seed of the selection by --count")
    parser.add_argument("--classes", type=int, required=True, help="classes that all models have")
    cli.class_names_argument(parser)
    parser.add_argument("--environment", type=Path, required=True, help="the manifest, JSON")
    parser.add_argument("--output", type=Path, required=True, help="the list, CSV")
    records.argument(parser)
    cli.run(main, parser)
