"""The messages of foreign tools: what is recorded of them, and the line that tells."""

import pytest

from deltann.execution.messages import LINE, LONGEST, bounded, clean, telling
from deltann.summary import failures

KERAS = """Exception encountered when calling layer "conv" (type Conv2D).

\x1b[1mDepth of input (3) is not a multiple of input depth of filter (4)\x1b[0m

Arguments received by layer "conv" (type Conv2D):
  • inputs=tf.Tensor(shape=(1, 3, 8, 8), dtype=float32)"""
AUTOGRAPH = """in user code:

    File "/envs/a.py", line 3, in call
        return layer(x)
    ValueError: Dimensions must be equal, but are 3 and 4
"""
TVM = """Traceback (most recent call last):
  File "src/relax/analysis.cc", line 42
  0: tvm::relax::f()
tvm.error.InternalError: Check failed: (rank == 4) is false: rank 3
"""
TORCH = """Failed to export the model with torch.export. \x1b[96mThis is step 1/3\x1b[0m of it.

## Exception summary

<class 'torch._dynamo.exc.UserError'>: data-dependent branch in forward
(Refer to the full stack trace above for more information.)"""
LOCATIONS = "loc(callsite(" * 40 + "f" + "))" * 40
MLIR = (
    "could not convert\n"
    f"<unknown>:0: error: {LOCATIONS}: 'tf.Swish' op is neither a custom op nor a flex op\n"
    + "%0 = arith.constant dense<1.0> : tensor<1xf32>\n"
    * 2000
)


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ("unsupported operator: Swish", "unsupported operator: Swish"),
        (KERAS, "Depth of input (3) is not a multiple of input depth of filter (4)"),
        (AUTOGRAPH, "ValueError: Dimensions must be equal, but are 3 and 4"),
        (TVM, "tvm.error.InternalError: Check failed: (rank == 4) is false: rank 3"),
        (TORCH, "<class 'torch._dynamo.exc.UserError'>: data-dependent branch in forward"),
        (MLIR, "<unknown>:0: error: 'tf.Swish' op is neither a custom op nor a flex op"),
        ("Traceback (most recent call last):", "Traceback (most recent call last):"),
        (" \n\n", "no message"),
    ],
)
def test_the_line_that_tells(message, expected):
    assert telling(message) == expected
    assert telling(bounded(message)) == expected


def test_a_long_line_is_cut():
    assert len(telling("x" * 5000)) == LINE


def test_94_kilobytes_are_bounded_and_still_tell():
    text = bounded(MLIR)
    assert len(MLIR) > 94_000 and len(text) < LONGEST + 2 * LINE + 100
    assert text.startswith("could not convert") and "the log has them" in text


def test_a_telling_line_in_the_middle_is_kept():
    message = "a\n" * 5000 + "KeyError: 'Swish'\n" + "b\n" * 5000
    assert "KeyError: 'Swish'" in bounded(message)


def test_control_characters_go_and_lines_stay():
    assert clean("\x1b[1;31mred\x1b[0m\tplain\r\n\x1b]0;title\x07next\x00") == "red\tplain\nnext"


@pytest.mark.parametrize(
    ("message", "told"),
    [
        (
            "Unsupported types ['b.default', 'a.default']",
            "Unsupported types ['a.default', 'b.default']",
        ),
        ("quantized: 'B', 'A'. If", "quantized: 'A', 'B'. If"),
        ("not in {'b', 'a'} nor in {}", "not in {'a', 'b'} nor in {}"),
        ("a shape of [2, 1] and ['b']", "a shape of [2, 1] and ['b']"),
    ],
)
def test_names_that_a_tool_lists_in_any_order_are_one_cause(message, told):
    assert failures._told(message) == told
