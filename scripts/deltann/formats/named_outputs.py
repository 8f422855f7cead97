"""Which of a model's outputs has the classes: the config's `output_name` names it."""

from collections.abc import Mapping, Sequence

from deltann.errors import did_you_mean


def choose(outputs: Mapping[str, Sequence[object]], described: dict) -> str:
    """The name of the output that has a value for each class.

    Args:
        outputs: the shape of each output, by its name in the file or its place.
        described: the model's entry in the config.

    Returns:
        `output_name` of the entry; without it, the name of the only output.

    Raises:
        ValueError: there are several outputs and no `output_name`, or no output has that name.
    """
    key = f"config key models.{described['name']}.output_name"
    listed = ", ".join(f"{name!r} ({_text(shape)})" for name, shape in outputs.items())
    count = f"{len(outputs)} output" + ("" if len(outputs) == 1 else "s")
    if "output_name" in described:
        name = str(described["output_name"])
        if name not in outputs:
            raise ValueError(
                f"{key}: the model has no output {name!r}; expected one of its {count}: {listed}"
                f"{did_you_mean(name, outputs)}"
            )
        return name
    if len(outputs) != 1:
        raise ValueError(
            f"{key} is missing, and the model has {count}: {listed}; expected the name of the one"
            " that has a value for each class"
        )
    return next(iter(outputs))


def _text(shape: Sequence[object]) -> str:
    return " × ".join(map(str, shape))
