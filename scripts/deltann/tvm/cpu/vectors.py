"""The vector unit that kernels are made for."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Vectors:
    """The vector unit of a target.

    Attributes:
        lanes: float32 numbers in a vector register.
        registers: how many vectors of a tile (its results, weights and pixels) LLVM keeps in
            registers. About as many as there are registers, since a multiplication can read an
            operand from memory. Measured on a Zen 4 with the convolutions of the paper's models
            and all tiles of up to 14 vectors by 4.
    """

    lanes: int
    registers: int
