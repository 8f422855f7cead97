"""The schema of a config: its content, the defaults, and the type of a key in words."""

import copy
from functools import cache
from pathlib import Path
from typing import Any

import yaml

PATH = Path(__file__).parents[3] / "config" / "schemas" / "config.schema.yaml"
TYPES = {
    "object": "a mapping",
    "array": "a list",
    "string": "a text",
    "boolean": "true or false",
    "integer": "a whole number",
    "number": "a number",
}
# What a keyword adds to the type: its words, and those for a count of entries or characters.
BOUNDS = {
    "minimum": "at least {}",
    "exclusiveMinimum": "more than {}",
    "maximum": "at most {}",
    "minItems": "at least {} entries",
    "maxItems": "at most {} entries",
    "minProperties": "at least {} entries",
}


@cache
def load() -> dict:
    """The schema, with every `$ref` replaced by the definition and the keywords beside it."""
    schema = yaml.safe_load(PATH.read_text(encoding="utf-8"))
    return _resolve(schema, schema.pop("$defs"))


def _resolve(node: Any, definitions: dict) -> Any:
    if isinstance(node, list):
        return [_resolve(item, definitions) for item in node]
    if not isinstance(node, dict):
        return node
    if "$ref" in node:
        definition = _resolve(definitions[node["$ref"].rpartition("/")[2]], definitions)
        return definition | _resolve({k: v for k, v in node.items() if k != "$ref"}, definitions)
    return {key: _resolve(value, definitions) for key, value in node.items()}


def read(path: Path) -> dict:
    """A valid config file, with the schema's defaults."""
    config = yaml.safe_load(path.read_text(encoding="utf-8"))
    fill_defaults(config, load())
    return config


def fill_defaults(value: object, schema: dict) -> None:
    """Give the keys that a valid config leaves out the schema's defaults, in place."""
    if isinstance(value, dict):
        properties = schema.get("properties", {})
        for name, described in properties.items():
            if "default" in described:
                value.setdefault(name, copy.deepcopy(described["default"]))
        for name, item in value.items():
            fill_defaults(item, properties.get(name, schema.get("additionalProperties", {})))
    if isinstance(value, list):
        for item in value:
            fill_defaults(item, entry_schema(item, schema.get("items", {})))


def entry_schema(item: object, schema: dict) -> dict:
    """The schema of a list's entry: of a model's, the one for its kind of entry."""
    if not isinstance(item, dict) or "then" not in schema:
        return schema
    kinds = schema["then"]
    is_user_model = any(item.keys() >= set(kind["required"]) for kind in kinds["if"]["anyOf"])
    return kinds["then"] if is_user_model else kinds["else"]


def type_in_words(schema: dict) -> str:
    """The values that a schema allows, without its description: `a number, more than 0`."""
    if "enum" in schema:
        return "one of " + ", ".join(map(str, schema["enum"]))
    types = schema.get("type", [])
    words = " or ".join(TYPES[name] for name in ([types] if isinstance(types, str) else types))
    if schema.get("minLength"):
        words = words.replace("a text", "a text that isn't empty")
    if "required" in schema:
        words += f" with {', '.join(schema['required'])}"
    fixed = "minItems" in schema and schema["minItems"] == schema.get("maxItems")
    if fixed:
        words += f" of {schema['minItems']} entries"
    bounds = [
        text.format(schema[key])
        for key, text in BOUNDS.items()
        if key in schema and not (fixed and key.endswith("Items"))
    ]
    unique = ["each entry once"] if schema.get("uniqueItems") else []
    return ", ".join([words, *bounds, *unique]).replace(" 1 entries", " 1 entry")
