"""What a call in a PyTorch graph is, in the words of `deltann.steps`: what its readers share."""

from dataclasses import dataclass, field
from math import isinf
from typing import Any

from deltann.formats.torch_graph import Network, bound, operator_name
from deltann.steps import AXES

# An argument, and a place in it if it is a list.
Place = tuple[str, int | None]


@dataclass
class Parameter:
    """A constant that an operator reads.

    Attributes:
        value: `torch.Tensor` in the layout of `deltann.steps`.
        source: the node that has it in that layout, or the Python number; None if it isn't so in
            the graph.
    """

    value: Any
    source: Any = None


@dataclass
class Reading:
    """What a call is.

    Attributes:
        kind, attributes: see `steps.Operator`.
        parameters: by their names there.
        places: where the tensors are that it reads: argument, and place in it if it is a list.
    """

    kind: str
    attributes: dict[str, Any] = field(default_factory=dict)
    parameters: dict[str, Parameter] = field(default_factory=dict)
    places: list[Place] = field(default_factory=list)


class Call:
    """A node that calls an operator, with what its arguments are.

    Attributes:
        node: the `torch.fx.Node`.
        name: of the operator, such as `conv2d`.
        arguments: by their names in the operator's schema.
    """

    def __init__(self, network: Network, node: Any):
        self.network, self.node = network, node
        self.name, self.arguments = operator_name(node), bound(node)

    def __getitem__(self, argument: str) -> Any:
        return self.arguments[argument]

    def get(self, argument: str, default: Any = None) -> Any:
        """An argument that not every overload has."""
        return self.arguments.get(argument, default)

    def is_node(self, argument: str) -> bool:
        """Whether an argument is a tensor, constant or not."""
        return is_node(self.get(argument))

    def depends(self, argument: str) -> bool:
        """Whether an argument is a tensor that depends on the model's input."""
        return self.is_node(argument) and self[argument] in self.network.dependent

    def parameter(self, argument: str) -> Parameter | None:
        """The constant that an argument is; None if there is none."""
        node = self.get(argument)
        if not is_node(node) or node in self.network.dependent:
            return None
        return Parameter(self.network.value(node), node)

    def parameters(self, **names: str) -> dict[str, Parameter]:
        """The constants that there are among arguments, by their names in `deltann.steps`."""
        found = {name: self.parameter(argument) for name, argument in names.items()}
        return {name: parameter for name, parameter in found.items() if parameter is not None}

    def shape(self, argument: str) -> list[int]:
        """The shape of a tensor that it reads."""
        return shape(self[argument])

    def rank(self, argument: str) -> int:
        """How many axes a tensor has that it reads."""
        return len(self.shape(argument))

    @property
    def output(self) -> list[int]:
        """The shape of what it writes, or of the first of it."""
        return shape(self.node)

    def places(self) -> list[Place]:
        """Where the tensors are that it reads and that depend on the model's input."""
        places: list[Place] = []
        for name, value in self.arguments.items():
            if isinstance(value, list | tuple):
                places += [
                    (name, place)
                    for place, item in enumerate(value)
                    if is_node(item) and item in self.network.dependent
                ]
            elif self.depends(name):
                places.append((name, None))
        return places

    def at(self, place: Place) -> Any:
        """The node at a place."""
        name, item = place
        return self[name] if item is None else self[name][item]


def is_node(value: Any) -> bool:
    """Whether an argument is a tensor."""
    import torch

    return isinstance(value, torch.fx.Node)


def shape(node: Any) -> list[int]:
    """The shape of what a node computes, or of the first of it."""
    value = node.meta["val"]
    while isinstance(value, list | tuple):
        value = value[0]
    return [int(side) for side in value.shape]


def dtype_name(dtype: Any) -> str:
    """A type as NumPy calls it: `float32` of `torch.float32`."""
    return str(dtype).removeprefix("torch.")


def letter(axis: int, rank: int) -> Any:
    """An axis as `deltann.steps` calls it."""
    return AXES[axis] if rank == len(AXES) else axis % rank


def letters(axes: Any, rank: int) -> list[Any]:
    """Some axes as `deltann.steps` calls them; all if none are given."""
    if axes is None or axes == []:
        axes = range(rank)
    return [letter(axis, rank) for axis in ([axes] if isinstance(axes, int) else axes)]


def number(axis: Any) -> int:
    """The place of an axis that is a letter or a place."""
    return AXES.index(axis) if isinstance(axis, str) else int(axis)


def pair(value: Any) -> list[int]:
    """[y, x] of an argument that may be one number for both."""
    values = [value] if isinstance(value, int) else list(value)
    return [int(item) for item in (values * 2 if len(values) == 1 else values)]


def finite(value: Any) -> Any:
    """A limit as JSON can hold it: None if there is none."""
    return None if value is None or isinf(value) else value
