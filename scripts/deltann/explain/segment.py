"""Cut operators out of a model file: in its tracer's environment, by `Session`."""

from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules

from deltann import formats

# A format whose operators can be cut out has a module of this name, with `extract`.
SUFFIX = "_segment"


def frameworks() -> list[str]:
    """The frameworks whose files can be cut."""
    names = (item.name for item in iter_modules(formats.__path__))
    return sorted(name.removesuffix(SUFFIX) for name in names if name.endswith(SUFFIX))


class Served:
    """Cuts segments, by what a session can carry."""

    def extract(
        self, framework: str, model_file: str, operators: Sequence[str], output: str
    ) -> list[str]:
        """Write a file of some operators alone, in the format of the model.

        Its inputs are the tensors that the operators read from others. Its outputs are those that
        others read, and the model's if it is among them. Shapes are the model's.

        Args:
            framework: one of `frameworks`.
            model_file: of that framework.
            operators: their names, as the framework's tracer gives them.
            output: the file to write.

        Returns:
            The names of its inputs in their order, as the tracer's `run` takes them.

        Raises:
            ValueError: files of the framework can't be cut, or the model has no such operator, or
                the new file computes something else.
        """
        if framework not in frameworks():
            raise ValueError(f"{framework}: expected one of {', '.join(frameworks())}")
        module = import_module(f"{formats.__name__}.{framework}{SUFFIX}")
        return module.extract(Path(model_file), operators, Path(output))
