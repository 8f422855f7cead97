"""Convert a model file by one converter. Runs in the child process of the job."""

from pathlib import Path

from deltann import converters, spot_check


def work(converter: str, settings: dict, model_file: str, output: str) -> dict:
    """Convert a model file.

    Args:
        converter: name of a module in `deltann.converters`.
        settings: the converter's settings.
        model_file: the file to read.
        output: the file to write.

    Returns:
        `spot_check.details`.
    """
    converters.get(converter).convert(Path(model_file), Path(output), **settings)
    return spot_check.details()
