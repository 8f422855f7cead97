"""The weights that a convolution's kernel asks for ahead of time, line by line.

Run in TVM's environment: `tvm_prefetches.py`. It prints as JSON the lines of a tile's weights, how
many tiles there are, and every line that is asked for, in the order of the loops.
"""

import itertools
import json
from types import SimpleNamespace

from deltann.tvm.load import load_tvm

LINE = 16  # float32 numbers
# five by five pixels of 32 channels, and 192 results of each
DATA, WEIGHT = (1, 2, 5, 5, 16), (12, 2, 3, 3, 16, 16)


def asked(statement, around: tuple = ()) -> list:
    """Each prefetch below a statement, with the loops around it."""
    from tvm import tirx

    if isinstance(statement, tirx.For):
        return asked(statement.body, (*around, statement))
    if isinstance(statement, tirx.SeqStmt):
        return [item for part in statement for item in asked(part, around)]
    if isinstance(statement, tirx.Evaluate) and "prefetch" in str(statement):
        return [(around, statement.value.args[1].args[0].indices)]
    return []


def numbers(loops: tuple, indices: list) -> list[int]:
    """The places in memory that a prefetch's address takes, as its loops run."""
    from tvm import sym, tirx

    found = []
    for values in itertools.product(*(range(int(loop.extent)) for loop in loops)):
        known = sym.Analyzer()
        for loop, value in zip(loops, values, strict=True):
            known.bind(loop.loop_var, tirx.const(value, loop.loop_var.ty.dtype))
        *outer, last = (int(known.simplify(index)) for index in indices)
        assert not any(outer)
        found.append(last)
    return found


def main() -> None:
    """Print the lines."""
    load_tvm()
    from tvm import te

    from deltann.tvm.cpu import packed_operators, prefetch, schedules

    attributes = SimpleNamespace(
        padding=[1, 1, 1, 1], strides=[1, 1], dilation=[1, 1], out_dtype="float32"
    )
    data, weight = te.placeholder(DATA), te.placeholder(WEIGHT)
    result = packed_operators.conv2d(data, weight, attributes, 34)
    kernel = te.create_prim_func([data, weight, result])
    choice = schedules.choices(kernel)[0]
    complete = prefetch.insert(schedules.schedule(kernel, choice).mod["main"])
    places = [place for found in asked(complete.body.block.body) for place in numbers(*found)]
    taken = choice.blocks * 2 * 3 * 3 * 16 * 16
    lines = sorted(place // LINE for place in places)
    print(json.dumps({"lines": lines, "tile": taken // LINE, "tiles": WEIGHT[0] // choice.blocks}))


if __name__ == "__main__":
    main()
