"""What a model computes in: the precision of its convolutions and matrix products.

The precision of one of these operators is that of the numbers that it multiplies:

| precision | activations | weights |
| --- | --- | --- |
| float32, bfloat16, float16 | of that type | of that type |
| tf32 | rounded to 11 significant bits | likewise |
| float16-weights, bfloat16-weights, int8-weights | float32 | rounded to that type, then float32 |
| int8 | rounded to 8 bits with a scale of the file's | 8 bits |
| int8-dynamic | rounded to 8 bits with a scale found at run time | 8 bits |
| int16x8 | rounded to 16 bits with a scale of the file's | 8 bits |
| int16 | likewise | 16 bits, also another activation |

Whether 8 bits are multiplied as whole numbers, or as float32 that were rounded to 8 bits before
(ONNX's QuantizeLinear and DequantizeLinear), makes no difference here: the numbers are the same.
A model's precision is that of all its operators, or `mixed`.
"""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass

from deltann import spot_check

FLOAT32, BFLOAT16, FLOAT16, TF32 = "float32", "bfloat16", "float16", "tf32"
INT8, INT8_DYNAMIC, INT16X8, INT16 = "int8", "int8-dynamic", "int16x8", "int16"
MIXED, OTHER = "mixed", "other"
REAL = (FLOAT32, BFLOAT16, FLOAT16)
BYTES, WORDS = ("int8", "uint8"), ("int16", "uint16")
# The cause of a model's precision that no edge, import or runtime changed.
MODEL = "the model's own file"
# How the cause begins of a precision that a runtime chose by itself.
UNASKED = "the default of "
NO_OPERATOR = ""


def of_operator(activations: str, weights: str, dynamic: bool = False) -> str:
    """The precision of one convolution or matrix product.

    Args:
        activations, weights: the types, as NumPy names them, that its two operands are rounded to.
            Weights that are stored in another type than they are computed in count as stored.
        dynamic: whether the scale of whole activations is found at run time.

    Returns:
        One of the names in this module's table; `other` for a pair that isn't there, as float64.
    """
    if weights in BYTES:
        if activations == FLOAT32:
            return "int8-weights"
        if activations in BYTES:
            return INT8_DYNAMIC if dynamic else INT8
        return INT16X8 if activations in WORDS else OTHER
    if activations in WORDS and weights in WORDS:
        return INT16
    if activations == weights and weights in REAL:
        return weights
    return f"{weights}-weights" if (activations, weights in REAL) == (FLOAT32, True) else OTHER


def of_model(operators: Mapping[str, int]) -> str:
    """The precision of a model by the number of its operators of each; empty if it has none."""
    found = [name for name, count in operators.items() if count]
    return MIXED if len(found) > 1 else next(iter(found), NO_OPERATOR)


@dataclass(frozen=True)
class Precision:
    """What a model computes in, and why.

    Attributes:
        operators: the number of convolutions and matrix products of each precision.
        cause: the edge, the import or the runtime that made it so, in words.
    """

    operators: dict[str, int]
    cause: str = MODEL

    @property
    def name(self) -> str:
        """See `of_model`."""
        return of_model(self.operators)

    def after(self, operators: Mapping[str, int], cause: str) -> "Precision":
        """The precision after a step; the cause stays if the step left the precision as it was.

        It also stays if the precision isn't known before or after.
        """
        found = dict(operators)
        name = of_model(found)
        changed = name and self.name and name != self.name
        return Precision(found, cause if changed else self.cause)

    @property
    def text(self) -> str:
        """The operators in words: `50 int8, 2 float32`."""
        ordered = sorted(self.operators.items(), key=lambda item: (-item[1], item[0]))
        return ", ".join(f"{count} {name}" for name, count in ordered if count)


def look(what: str, operators: Callable[[], dict[str, int]]) -> dict[str, int]:
    """What `operators` finds; nothing if it raises.

    A file that a converter broke is for its runtime to refuse, and a model that is too odd to be
    described still runs. The record says so: see `spot_check.not_checked`.

    Args:
        what: the look at the model, for the record.
        operators: as `runners.Framework.operators`, of a known model.
    """
    try:
        return operators()
    except Exception as error:  # of any class: the model may be broken in any way
        spot_check.not_checked(what, error)
        return {}


def read(details: Mapping) -> Precision:
    """The precision of a model file by the `details` of its record."""
    return Precision(**details["precision"])


def details(precision: Precision, calibration: dict | None = None) -> dict:
    """What the record of a model file says of its precision, and of what it was calibrated on."""
    described: dict = {"precision": asdict(precision)}
    return described | ({"calibration": calibration} if calibration else {})
