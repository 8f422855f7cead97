"""The page of a packed study that a person reads: what it holds, and how it came about."""

import json
from html import escape

from deltann.archive.crate import Provenance
from deltann.study import layout

STYLE = (
    "body{font:16px/1.5 sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem}"
    "table{border-collapse:collapse}td,th{padding:.2rem .6rem;text-align:left;vertical-align:top}"
    "code,pre{font-size:.85em;overflow-wrap:anywhere}pre{overflow:auto;background:#f4f4f4}"
)
RESULTS = {
    layout.SUMMARY_PAGE: "what was found",
    layout.REPORT: "the same with every figure and table",
    layout.GALLERY: "the images on which cells disagree",
    layout.DATASET: "the dataset, for xarray",
    layout.CONFIG: "the config",
}


def page(found: Provenance, metadata: dict) -> str:
    """The page, HTML.

    Args:
        found: the study's provenance.
        metadata: the crate's JSON-LD.
    """
    name = escape(found.config["study"])
    folder = layout.study(name)
    entities = [item for item in metadata["@graph"] if item["@type"] == "File"]
    there = {item["@id"] for item in entities}
    results = [
        f'<li><a href="{path}">{path}</a>: {what}</li>'
        for path, what in RESULTS.items()
        if path in there
    ]
    commits = ", ".join(f"<code>{escape(commit)}</code>" for commit in found.commits)
    machines = [
        "<li>" + ", ".join(f"{escape(k)}: {escape(str(v))}" for k, v in json.loads(text).items())
        for text in found.machines
    ]
    environments = [
        f"<details><summary>{escape(key)}: {escape(manifest['interpreter'])}, "
        f"{len(manifest['distributions'])} packages</summary><p>"
        + escape(", ".join(f"{k} {v}" for k, v in manifest["distributions"].items()))
        + "</p></details>"
        for key, (manifest, _) in found.environments.items()
    ]
    config = escape(json.dumps(found.config, indent=2, ensure_ascii=False))
    return "\n".join(
        [
            f'<!DOCTYPE html><html lang="en"><meta charset="utf-8"><title>Study {name}</title>',
            f"<style>{STYLE}</style><h1>Study {name}</h1>",
            f"<ul>{''.join(results)}</ul>",
            "<h2>How it came about</h2>",
            f"<p>The workflow DeltaNN, reproducible, at commit {commits}. On:</p>",
            f"<ul>{''.join(machines)}</ul><h3>Environments</h3>{''.join(environments)}",
            f"<h3>Config</h3><details><summary>{len(config.splitlines())} lines</summary>",
            f"<pre>{config}</pre></details>",
            "<h2>To draw it again</h2>",
            f"<p>In a clone of the workflow at that commit, unpack this archive into "
            f"<code>{folder}</code>, and run <code>make redraw "
            f"CONFIG={folder}/{layout.CONFIG}</code>. It takes none of the frameworks.</p>",
            "<h2>Licences</h2><p>Apache-2.0. Model files hold weights, and "
            f"<code>{layout.INPUTS}/</code> "
            "and the gallery hold photographs, that have licences of their own: those of the "
            "packages, files or addresses that the config names.</p>",
            "<h2>Files</h2><table><tr><th>file<th>bytes<th>SHA-256<th>made from</tr>",
            f"{_rows(entities, found)}</table></html>",
            "",
        ]
    )


def _rows(entities: list[dict], found: Provenance) -> str:
    rows = []
    for item in entities:
        sources = found.sources.get(item["@id"], [])
        made_from = "<br>".join(map(escape, sources[:10]))
        if len(sources) > 10:
            made_from += f"<br>and {len(sources) - 10} more"
        name = escape(item["@id"])
        rows.append(
            f"<tr><td>{name}<td>{item['contentSize']}<td><code>{item['sha256'][:16]}</code>"
            f"<td>{made_from}</tr>"
        )
    return "\n".join(rows)
