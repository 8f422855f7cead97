"""Import a model file into TVM and take it through the graph passes of one level."""

import argparse

from deltann import program, records


def main(options: argparse.Namespace) -> None:
    """Lower in a child process."""
    arguments = {"framework": options.framework, "level": options.level}
    records.produce("lower", arguments, options)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--framework", required=True, help="format of the model file")
    parser.add_argument("--level", required=True, help="O0 to O4")
    records.arguments(parser)
    program.run(main, parser)
