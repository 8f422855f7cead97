"""Check a config against its schema, and say in one sentence which key is wrong and why."""

import math
import re
import reprlib
from collections.abc import Iterable, Sequence

from jsonschema import Draft202012Validator, ValidationError
from jsonschema.exceptions import best_match, by_relevance

from deltann.errors import StudyError, did_you_mean
from deltann.study.schema import type_in_words

# A misspelt key says more than the missing one that it was meant to be.
RELEVANCE = by_relevance(strong={"additionalProperties"})
WORD = re.compile(r"[\w.+-]+")
LONGEST = 80  # characters of a value that a message shows


def check(config: dict, schema: dict) -> None:
    """Check a config against the schema.

    Args:
        config: as read from YAML.
        schema: of `schema.load`.

    Raises:
        StudyError: one sentence on the most relevant error: key, value, and what was expected.
    """
    _check_keys_and_numbers(config, config, [])
    error = best_match(Draft202012Validator(schema).iter_errors(config), key=RELEVANCE)
    if error is not None:
        raise StudyError(explain(config, error))


def _check_keys_and_numbers(config: dict, node: object, path: list) -> None:
    """Refuse keys that YAML doesn't read as text (`on`, `no`, `1`), and `.nan` and `.inf`."""
    if isinstance(node, float) and not math.isfinite(node):
        raise StudyError(f"{key_in_words(config, path)}: {node}; expected a finite number")
    items = node.items() if isinstance(node, dict) else ()
    for name, item in items:
        if not isinstance(name, str):
            raise StudyError(
                f"{key_in_words(config, path)}: the key {shown(name)} is no text; expected it in "
                "quotes"
            )
        _check_keys_and_numbers(config, item, [*path, name])
    for index, item in enumerate(node if isinstance(node, list) else ()):
        _check_keys_and_numbers(config, item, [*path, index])


def explain(config: dict, error: ValidationError) -> str:
    """Say which key is wrong, what its value is and what was expected."""
    path, value, schema = list(error.absolute_path), error.instance, error.schema
    key = key_in_words(config, path)
    if error.validator == "additionalProperties":
        known = list(schema.get("properties", ()))
        name = next(name for name in value if name not in known)
        return (
            f"{key_in_words(config, [*path, name])}: unknown key; expected one of "
            f"{', '.join(known)}{did_you_mean(name, known)}"
        )
    if error.validator in ("required", "dependentRequired"):
        needed = error.validator_value
        if error.validator == "dependentRequired":
            needed = [item for name in value if name in needed for item in needed[name]]
        name = next(name for name in needed if name not in value)
        expected = expectation(schema["properties"][name])
        return f"{key_in_words(config, [*path, name])} is missing; expected {expected}"
    if error.validator == "oneOf":
        return f"{key}: {shown(value)}; expected either {_choices(error.validator_value)}"
    if "propertyNames" in error.absolute_schema_path:
        return f"{key}: the name {shown(value)}; expected {schema['description']}"
    # YAML reads 1, yes and 2026-01-01 as a number, a truth value and a date
    unquoted = schema.get("type") == "string" and not isinstance(value, str | list | dict | None)
    hint = "; put it in quotes" if unquoted else ""
    near = did_you_mean(value, schema.get("enum", ()))
    return f"{key}: {shown(value)}; expected {expectation(schema)}{hint}{near}"


def expectation(schema: dict) -> str:
    """The values that a schema allows: the type, and the key's description."""
    return ": ".join(filter(None, (type_in_words(schema), schema.get("description"))))


def _choices(branches: Iterable[dict]) -> str:
    return ", or ".join(" and ".join(branch["required"]) for branch in branches)


def key_in_words(config: dict, path: Sequence[str | int]) -> str:
    """A key's path as a user would write it: `config key models.mine.input.mean`.

    An entry of a list is given by its name, if it has one, else by its index.
    """
    words, node = "", config
    for part in path:
        node = node[part] if isinstance(node, list) or part in node else {}
        if isinstance(part, int) and isinstance(node, dict) and isinstance(node.get("name"), str):
            part = node["name"]
        plain = isinstance(part, str) and WORD.fullmatch(part)
        words += f".{part}" if plain else f"[{part!r}]"
    return f"config key {words.removeprefix('.')}" if words else "config"


def shown(value: object) -> str:
    """A value as a message shows it: never a whole mapping, never long."""
    if value is None:
        return "empty"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, dict) and value:
        names = ", ".join(map(str, value))
        return f"a mapping with {names if len(names) <= LONGEST else names[:LONGEST] + '...'}"
    if not isinstance(value, str | int | float | list | dict):
        return str(value)
    short = reprlib.Repr()
    short.maxstring = short.maxother = LONGEST
    short.maxlevel = 2
    return short.repr(value)
