"""Have one backend answer with the models of one operator each."""

import argparse
import json
from pathlib import Path

from deltann.execution import cli, environment
from deltann.provenance import files, records


def main(options: argparse.Namespace) -> None:
    """Ask for each case, and write the answers."""
    digest = environment.check(options.environment)
    inputs = {options.models: records.check(options.models, options.models_record)}
    from deltann.operators import steps

    with files.atomic(options.output) as part:
        counts = steps.answer(
            options.models, options.backend, options.suffix, options.seconds, part
        )
    records.write(
        options.record, "operator_answers", [options.output], inputs, digest, details=counts
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--models", type=Path, required=True, help="the bundle of models, tar")
    records.argument(parser, "models")
    parser.add_argument(
        "--backend", type=json.loads, required=True, help="name, task and arguments, JSON"
    )
    parser.add_argument("--suffix", required=True, help="of the model files")
    parser.add_argument("--seconds", type=float, required=True, help="time limit of a case")
    parser.add_argument("--environment", type=Path, required=True, help="the manifest, JSON")
    parser.add_argument("--output", type=Path, required=True, help="the answers, tar")
    records.argument(parser)
    cli.run(main, parser)
