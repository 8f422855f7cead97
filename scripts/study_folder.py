"""Print the folder of the study that config files describe: `results/<study>`."""

import argparse
from pathlib import Path

from snakemake.common.configfile import load_configfile
from snakemake.exceptions import WorkflowError

from deltann.errors import StudyError
from deltann.execution import cli
from deltann.study import layout, overlay


def main(options: argparse.Namespace) -> None:
    """Read the files as Snakemake does, and print the folder."""
    layers = [overlay.Layer(str(path), _read(path)) for path in options.config]
    study = overlay.lay(layers, overlay.load_defaults())["study"]
    if not isinstance(study, str) or not study:
        names = " ".join(map(str, options.config))
        raise StudyError(f"{names}: study is {study!r}; expected the name of the study")
    print(layout.study(study))


def _read(path: Path) -> dict:
    if not path.is_file():
        raise StudyError(
            f"{path} doesn't exist; expected a config file, as in make study "
            "CONFIG=config/mine.yaml (a name with spaces needs more quotes: "
            "CONFIG=\"'config/my study.yaml'\")"
        )
    try:
        return load_configfile(path)
    except WorkflowError as error:
        raise StudyError(f"{path}: {error}") from error


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "config", type=Path, nargs="+", help="config file, YAML or JSON; later ones win"
    )
    cli.run(main, parser)
