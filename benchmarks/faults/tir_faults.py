"""Wrong passes on kernels: each changes one place of a TIR function, in its TVMScript.

Run in the environment `tvm`. What a block reads and writes is found again by TVM.
"""

import re
from collections.abc import Callable
from typing import Any

REGIONS = re.compile(r"^ *T\.(reads|writes)\(.*\)\n", re.MULTILINE)
# By name: what is looked for in a function's text, and what is put there. MutateNN's settings.
CHANGES = {
    # the last loop of a sum ends one step early
    "bound_short": (
        r"(in T\.grid\((?:[^()]|\([^()]*\))*)T\.int64\((?P<n>[2-9]|\d\d+)\)(\):\n.*\n.*SR+\")",
        lambda found: f"{found[1]}T.int64({int(found['n']) - 1}){found[3]}",
    ),
    "index_off": (
        r"(\+ \w+\[.*\] \* \w+\[(?:\w+, )*)(v_\w+)\]\n",
        lambda found: f"{found[1]}T.max({found[2]} - T.int64(1), T.int64(0))]\n",
    ),
    "initial_value": (
        r"(with T\.init\(\):\n.* = )T\.float32\([^()]*\)\n",
        lambda found: f"{found[1]}T.float32(1.0)\n",
    ),
    "multiply_to_add": (
        r"( = \w+\[[^\]]*\]) \* (\w+\[[^\]]*\])\n",
        lambda found: f"{found[1]} + {found[2]}\n",
    ),
    "add_to_subtract": (
        r"( = (?!(\w+)_intermediate\[.*\2)\w+\[[^\]]*\]) \+ (\w+\[[^\]]*\])\n",
        lambda found: f"{found[1]} - {found[3]}\n",
    ),
    "comparison": (r"T\.int64\(1\) <= (v_\w+) and", lambda found: f"T.int64(1) < {found[1]} and"),
    "constant": (
        r"( \* )T\.float32\((0\.\d+)\)",
        lambda found: f"{found[1]}T.float32({float(found[2]) * 1.5})",
    ),
    "max_to_min": (r" = T\.max\(", lambda found: " = T.min("),
}


def wrong_pass(name: str, place: float) -> Callable[[Any], Any]:
    """The function of a pass that changes one kernel, if the change fits any.

    Args:
        name: of `CHANGES`.
        place: which of the kernels that fit, in the order of their names, as a share of them.
    """
    pattern = CHANGES[name][0]

    def rewrite(module: Any) -> Any:
        from tvm import tirx

        texts = {
            variable: function.script()
            for variable, function in module.functions_items()
            if isinstance(function, tirx.PrimFunc)
        }
        fitting = sorted(
            (variable for variable, text in texts.items() if re.search(pattern, text)),
            key=lambda variable: variable.name_hint,
        )
        if not fitting:
            return module
        chosen = fitting[int(place * len(fitting))]
        wrong = _parsed(changed(name, texts[chosen]))
        result = module.clone()
        result.update_func(chosen, wrong.with_attr(dict(module[chosen].attrs.items())))
        return result

    return rewrite


def changed(name: str, text: str) -> str:
    """A function's TVMScript with its first place that fits changed, and without its regions."""
    pattern, written = CHANGES[name]
    return re.sub(pattern, written, REGIONS.sub("", text), count=1)


def _parsed(text: str) -> Any:
    """A TIR function of its TVMScript."""
    from tvm.script import from_source

    return from_source(text)
