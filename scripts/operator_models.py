"""Make the models of one operator each: those of a source, or another bundle's, converted."""

import argparse
import json
from pathlib import Path

from deltann.execution import cli, environment
from deltann.provenance import files, records


def main(options: argparse.Namespace) -> None:
    """Build or convert each case, and write the bundle."""
    digest = environment.check(options.environment)
    inputs = {}
    from deltann.operators import steps

    with files.atomic(options.output) as part:
        if options.before is None:
            counts = steps.make(options.source, options.kinds, options.every, options.seconds, part)
        else:
            inputs[options.before] = records.check(options.before, options.before_record)
            counts = steps.convert(
                options.before, options.edge, tuple(options.suffixes), options.seconds, part
            )
    records.write(
        options.record, "operator_models", [options.output], inputs, digest, details=counts
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--source", required=True, help="the framework that the models come from")
    parser.add_argument("--kinds", nargs="*", default=[], help="of operators; without it, all")
    parser.add_argument("--every", type=int, default=1, help="takes one of so many cases")
    parser.add_argument("--before", type=Path, help="the bundle to convert")
    parser.add_argument("--before-record", type=Path, help="its record, JSON")
    parser.add_argument("--edge", type=json.loads, help="name, converter and settings, JSON")
    parser.add_argument("--suffixes", nargs=2, help="of the model files before and after")
    parser.add_argument("--seconds", type=float, required=True, help="time limit of a case")
    parser.add_argument("--environment", type=Path, required=True, help="the manifest, JSON")
    parser.add_argument("--output", type=Path, required=True, help="the bundle to write, tar")
    records.argument(parser)
    cli.run(main, parser)
