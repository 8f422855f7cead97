"""Where a study's answers come from, as plain attributes of its dataset."""

import json
from collections.abc import Iterable

SEPARATOR = "; "
MACHINE = ("processor", "cores", "system")


def attributes(provenances: Iterable[str]) -> dict[str, str]:
    """The machines and the versions of the tools, for people; each cell has its own `provenance`.

    Args:
        provenances: those of the cells, JSON.

    Returns:
        `commit`, `processor`, `cores` and `system`, with several values joined by '; ', and for
        each environment that ran cells `versions_<environment>`, such as `torch 2.13.0`. What no
        cell knows is missing.
    """
    found: dict[str, dict[str, None]] = {}
    for text in provenances:
        for name, value in _facts(json.loads(text)).items():
            found.setdefault(name, {})[value] = None
    return {name: SEPARATOR.join(values) for name, values in sorted(found.items())}


def _facts(provenance: dict) -> dict[str, str]:
    machine = {name: provenance.get("machine", {}).get(name, "") for name in MACHINE}
    facts = {"commit": provenance.get("commit", "")} | machine
    versions = provenance.get("versions", {})
    if name := provenance.get("environment", {}).get("name", ""):
        pairs = [f"{tool} {version}" for tool, version in sorted(versions.items())]
        facts[f"versions_{name}"] = ", ".join(pairs)
    return {name: str(value) for name, value in facts.items() if value}
