"""Export a model with its weights to the native file of its source framework."""

import argparse

from deltann import program, records


def main(options: argparse.Namespace) -> None:
    """Export in a child process."""
    records.produce("export", {"model": options.model}, options)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", required=True, help="name of the model")
    records.arguments(parser, from_source=False)
    program.run(main, parser)
