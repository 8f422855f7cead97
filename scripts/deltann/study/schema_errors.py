"""What a JSON schema has against a config, as one sentence."""

TYPES = {
    "object": "a mapping",
    "array": "a list",
    "string": "a text",
    "boolean": "true or false",
    "integer": "a whole number",
    "number": "a number",
}
BOUNDS = {
    "minimum": "at least",
    "maximum": "at most",
    "exclusiveMinimum": "more than",
    "minItems": "a number of entries of at least",
    "minProperties": "a number of entries of at least",
    "minLength": "a number of characters of at least",
}


def explain(error: Exception) -> str:
    """Say which key is wrong, what its value is and what was expected.

    Args:
        error: raised by `snakemake.utils.validate`, because of jsonschema's ValidationError.
    """
    cause = error.__context__
    if cause is None or not hasattr(cause, "validator_value"):
        return str(error)
    while cause.context and cause.validator != "oneOf":
        cause = cause.context[0]
    path = [str(part) for part in cause.absolute_path]
    value, wanted, schema = cause.instance, cause.validator_value, cause.schema
    if cause.validator == "additionalProperties":
        known = schema["properties"]
        name = next(name for name in value if name not in known)
        return f"{_key(*path, name)}: unknown key; expected one of {', '.join(known)}"
    if cause.validator == "required":
        name = next(name for name in wanted if name not in value)
        about = schema.get("properties", {}).get(name, {}).get("description")
        return f"{_key(*path, name)} is missing" + (f": {about}" if about else "")
    if cause.validator == "type":
        expected = TYPES[wanted]
    elif cause.validator in BOUNDS:
        expected = f"{BOUNDS[cause.validator]} {wanted}"
    elif cause.validator == "uniqueItems":
        expected = "each entry once"
    else:
        expected = schema.get("description", cause.message)
    return f"{_key(*path)}: {value!r}; expected {expected}"


def _key(*path: str) -> str:
    return f"config key {'.'.join(map(str, path))}" if path else "config"
