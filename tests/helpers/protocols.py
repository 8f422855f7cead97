"""Whether a module offers what a Protocol states."""

import inspect
from types import ModuleType
from typing import get_origin, get_type_hints

from deltann.converters import CALIBRATION

EMPTY = inspect.Parameter.empty
VARIADIC = (inspect.Parameter.VAR_KEYWORD, inspect.Parameter.VAR_POSITIONAL)


def violations(offered: object, protocol: type) -> list[str]:
    """What a module or an object lacks of a protocol: attributes of its types, and functions.

    A function may have further parameters only if they have defaults and the protocol's ends in
    `**settings`. A converter's `calibration` needs no default.
    """
    lacking = []
    for name, expected in get_type_hints(protocol).items():
        if not hasattr(offered, name):
            lacking.append(f"{name} is missing")
        elif not _is(getattr(offered, name), expected):
            lacking.append(f"{name} is no {expected}")
    for name, stated in vars(protocol).items():
        if inspect.isfunction(stated) and not name.startswith("_"):
            function = getattr(offered, name, None)
            if not callable(function):
                lacking.append(f"{name}() is missing")
            elif difference := _difference(function, stated):
                lacking.append(f"{name}() {difference}")
    return lacking


def _is(value: object, expected: object) -> bool:
    """Whether a value has the plain type that an annotation begins with."""
    plain = get_origin(expected) or expected
    return not isinstance(plain, type) or isinstance(value, plain) or callable(value)


def _difference(function: object, stated: object) -> str:
    """What is wrong with a function's parameters, or nothing."""
    given = inspect.signature(function).parameters.values()
    wanted = [item for item in inspect.signature(stated).parameters.values() if item.name != "self"]
    names = [item.name for item in wanted if item.kind not in VARIADIC]
    own = [item for item in given if item.name not in names and item.kind not in VARIADIC]
    missing = [name for name in names if name not in {item.name for item in given}]
    if missing:
        return f"lacks the parameters {missing}"
    if [item.name for item in given][: len(names)] != names:
        return f"has not the order {names}"
    if own and len(names) == len(wanted):
        return f"has further parameters: {[item.name for item in own]}"
    without = [item.name for item in own if item.default is EMPTY and item.name != CALIBRATION]
    return f"has settings without defaults: {without}" if without else ""


def copy_without(module: ModuleType, name: str) -> ModuleType:
    """A module as it is, but for one name."""
    copy = ModuleType(module.__name__)
    vars(copy).update({key: value for key, value in vars(module).items() if key != name})
    return copy
