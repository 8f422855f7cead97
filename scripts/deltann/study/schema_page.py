"""config/README.md: every key of a config with its type, default and an example."""

from collections.abc import Iterator

import yaml

from deltann.study import overlay
from deltann.study.schema import type_in_words

INTRODUCTION = """# The config

A config is a YAML file that describes one study. `make study CONFIG=config/mine.yaml` runs it. It
holds only what differs from [config.yaml](config.yaml), which has the defaults:

| key | what a config changes |
| --- | --- |
| `timing`, `limits`, `tuning` | the entries that it has; the others keep their defaults |
| `edges`, `runtimes`, `tvm_imports` | the named entries that it has, each as a whole |
| `images`, `calibration` | everything, or with `subset` alone, which of the default images |
| `study` | without it, the study has the name of the last config file |
| any other key | the key as a whole: `devices: {gpu: ...}` is a study of one device |

Several files (`CONFIG='config/paper.yaml config/seeded.yaml'`, or several after `--configfile`) and
`--config key=value` merge first, as in any Snakemake workflow: mappings by entry, lists as a whole,
and later ones win. So with `CONFIG='config/config.yaml config/mine.yaml'` the devices of both are
there. With `--replace-workflow-config`, Snakemake ignores the defaults.

What the defaults say of sources, targets and runtimes that a study doesn't have is left out. A
model of your own from a framework that the default `conversions` lack runs unconverted. With
`models` of yours, `preprocessing` is `[source]`, unless you say more.

Every config is checked before anything runs; a message names the file, the key and what it expects.
Snakemake then prints the whole config, each key with the file that it comes from. It is kept in
`results/<study>/config.json`, which is a config, too.

| file | study |
| --- | --- |
| [config.yaml](config.yaml) | the default: one model, six frameworks, three precisions |
| [precision.yaml](precision.yaml) | quantizers, and what runtimes do to float32 |
| [faults.yaml](faults.yaml) | faults of converters |
| [my-model.yaml](my-model.yaml) | a model of your own: copy it |
| [paper.yaml](paper.yaml) | the paper's matrix: three models, four sources, all conversions |
| [seeded.yaml](seeded.yaml) | changes paper.yaml: needs no published weights |
| [passes.yaml](passes.yaml) | each graph pass alone, as in the paper's tables III and IV |
| [devices.yaml](devices.yaml) | older instruction sets, and one thread |
| [tvm-versions.yaml](tvm-versions.yaml) | two versions of TVM |
| [operators.yaml](operators.yaml) | models of one operator each, by every converter |

`make config-docs` writes this page from [the schema](schemas/config.schema.yaml). In a key,
`<name>` is a name of your choice and `[]` is an entry of a list. A key is required where the key
above it is there, has a default, or is optional (-).
"""


def render(schema: dict) -> str:
    """The page.

    Args:
        schema: of `schema.load`.
    """
    sections = [
        "\n".join(
            [
                f"## {name}",
                "",
                "| key | type | default | example | meaning |",
                "| --- | --- | --- | --- | --- |",
                *_rows(name, described, name in schema["required"]),
            ]
        )
        for name, described in schema["properties"].items()
    ]
    return INTRODUCTION + "\n" + "\n\n".join(sections) + "\n"


def _rows(key: str, schema: dict, required: bool) -> Iterator[str]:
    """The rows of a key and of the keys in it."""
    default = _default(key, schema, required)
    meaning = schema["description"].replace("<", "\\<")
    cells = [f"`{key}`", type_in_words(schema), default, _code(schema["examples"][0]), meaning]
    yield "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"
    for name, described in schema.get("properties", {}).items():
        yield from _rows(f"{key}.{name}", described, name in schema.get("required", ()))
    if isinstance(schema.get("additionalProperties"), dict):
        entry = schema["additionalProperties"]
        yield from _rows(f"{key}.<{entry.get('title', 'name')}>", entry, False)
    kinds = schema.get("items", {}).get("then")
    for kind in (kinds["else"], kinds["then"]) if kinds else ():
        yield from _rows(f"{key}[]", kind, False)


def _default(key: str, schema: dict, required: bool) -> str:
    """The default of a key, in config.yaml or in the schema; or whether it is required."""
    top, *parts = key.split(".")
    defaults = overlay.load_defaults()
    if top in defaults and not parts:
        return "[config.yaml](config.yaml)"
    if top in overlay.DEEP:
        value = defaults[top]
        for part in parts:
            value = value.get(part, {})
        return "-" if value == {} else _code(value)
    return "required" if required else _code(schema["default"]) if "default" in schema else "-"


def _code(value: object) -> str:
    """A value as YAML on one line, in code quotes."""
    text = yaml.safe_dump(value, default_flow_style=True, sort_keys=False, width=10**6)
    return "`" + text.removesuffix("...\n").strip() + "`"
