"""What a traced model consists of, in one vocabulary for all formats: operators and tensors.

A tracer (`deltann.tracers`) says of each operator of a file what it is in these words. So files of
two formats can be compared, whatever their operators and tensors are called.

Attributes and parameters by kind (an attribute that is left out has its default, in brackets):

    convolution           strides [y, x], dilations [y, x], groups,
                          pads [top, left, bottom, right];
                          weight (out, in / groups, y, x), bias (out) if there is one
    transposed_convolution  as convolution, and output_padding [y, x];
                          weight (in, out / groups, y, x)
    dense                 weight (out, in), bias (out) if there is one
    matmul                of two tensors of which neither is constant: transpose_a, transpose_b
    batch_norm            epsilon, training (False); scale, shift, mean, variance (channels)
    max_pool              kernel, strides [y, x], dilations [y, x], pads, ceil_mode (False)
    average_pool          kernel, strides, pads, ceil_mode (False), count_include_pad (False)
    mean, sum, max, min, prod   reductions: axes, keepdims
    clip                  min, max: a number or None; ReLU is (0, None), ReLU6 (0, 6)
    leaky_relu            slope;  elu  alpha;  gelu  approximate (none or tanh)
    hard_sigmoid          alpha, beta
    sigmoid, tanh, swish, hard_swish, softplus, erf, exp, sqrt, abs, negative, reciprocal, identity
    prelu                 slope (channels)
    softmax, log_softmax  axis
    add, subtract, multiply, divide, maximum, minimum, power
                          operand, if one side is constant; constant_first (False) if that is
                          the first one
    pad                   pads [top, left, bottom, right], value (0), mode (constant)
    resize                size [y, x], mode (nearest, linear, cubic), antialias (False),
                          coordinates (half_pixel, pytorch_half_pixel, align_corners, asymmetric),
                          rounding (of nearest: floor, ceil, round_prefer_floor,
                          round_prefer_ceil)
    transpose             permutation;  reshape  shape;  concat  axis
    slice                 axes, starts, ends, steps;  split  axis, sizes
    cast                  dtype
    quantize, dequantize  scale, zero_point (parameters), axis
    lrn                   size, alpha, beta, bias
    other                 whatever is in none of these words

`axes` and `axis` of a tensor of four dimensions are the letters of its format's usual layout, such
as "H" and "C"; of other tensors they are whole numbers from 0. An operator that a format runs
together with an activation has the attribute `activation`: the activation's kind and attributes,
as in {"kind": "clip", "min": 0, "max": 6}.

A constant `operand` with one number per channel has the shape (channels,), a single number ().
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol, Self

if TYPE_CHECKING:
    import numpy as np

ACTIVATIONS = (
    *("clip", "leaky_relu", "elu", "gelu", "hard_sigmoid", "sigmoid", "tanh", "swish"),
    *("hard_swish", "softplus", "prelu", "softmax", "log_softmax"),
)
BINARY = ("add", "subtract", "multiply", "divide", "maximum", "minimum", "power")
REDUCTIONS = ("mean", "sum", "max", "min", "prod")
# Operators that change no number, only where it is.
MOVES = ("transpose", "reshape", "identity")
KINDS = (
    *("convolution", "transposed_convolution", "dense", "matmul", "batch_norm"),
    *("max_pool", "average_pool", *REDUCTIONS, *ACTIVATIONS, *BINARY, *MOVES),
    *("erf", "exp", "sqrt", "abs", "negative", "reciprocal"),
    *(
        "pad",
        "resize",
        "concat",
        "slice",
        "split",
        "cast",
        "quantize",
        "dequantize",
        "lrn",
        "other",
    ),
)
AXES = ("N", "C", "H", "W")


@dataclass(frozen=True)
class Operator:
    """One operator of a model file.

    Attributes:
        name: its name in the file, or one that the tracer gives it; unique, the same each time.
        native: what its format calls the kind, such as `Conv` or `CONV_2D`.
        kind: one of `KINDS`.
        inputs: the tensors that it reads and that depend on the model's input, in its order.
        outputs: the tensors that it writes.
        attributes: by the names above; what JSON can hold.
        parameters: the constants that it reads, by the names above, in the layout given there.
    """

    name: str
    native: str
    kind: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    attributes: dict[str, Any] = field(default_factory=dict)
    parameters: "dict[str, np.ndarray]" = field(default_factory=dict)

    @property
    def activation(self) -> dict[str, Any]:
        """The activation that runs together with it: empty if there is none."""
        return self.attributes.get("activation", {})


class Tracer(Protocol):
    """A model file, loaded so that each of its tensors can be read and replaced.

    A context manager. Nothing is fused or folded that the file has apart, so that its tensors are
    those of the file, not those of a runtime.

    Attributes:
        input: the tensor that the image goes into.
        output: the tensor of the logits.
        input_shape: of `input`, with 1 for the batch.
    """

    input: str
    output: str
    input_shape: tuple[int, ...]

    def __enter__(self) -> Self:
        """Load the file."""
        ...

    def __exit__(self, *exception: object) -> None:
        """Free it."""
        ...

    def operators(self) -> list[Operator]:
        """Every operator that depends on the input and leads to the output, in running order."""
        ...

    def run(
        self,
        image: "np.ndarray",
        wanted: Collection[str],
        replaced: "Mapping[str, np.ndarray] | None" = None,
    ) -> "dict[str, np.ndarray]":
        """Run one image, and read some tensors on the way.

        Args:
            image: float32 of `input_shape`, normalised.
            wanted: names of tensors; memory for these alone is needed at a time.
            replaced: tensors that are given instead of computed, in the file's own layout and
                type; whatever reads them reads these. One that is also wanted is given back.

        Returns:
            The wanted tensors, as the file has them.

        Raises:
            Exception: the foreign tool's own.
        """
        ...


class TracerModule(Protocol):
    """A module of `deltann.tracers`, named as its framework. Importing it imports no other package.

    Attributes:
        ENVIRONMENT: the environment that it runs in.
        LAYOUT: what a tensor of four dimensions usually is in this format: `NCHW` or `NHWC`.
            A tracer with an attribute `layout` has that one instead.
        Tracer: makes a `Tracer` from `model_file`, a path.
    """

    ENVIRONMENT: str
    LAYOUT: str
    Tracer: Any
