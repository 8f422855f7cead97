"""The answer of a page in sentences: the stage, and the operator."""

from deltann.explain import operators
from deltann.explain.formatting import number, sentence
from deltann.explain.stages import Stage
from deltann.localise.finding import Outcome, Verdict

TOLD = 3  # faults of an edge that are told in sentences; the page has all


def sentences(facts: dict) -> list[str]:
    """What is said of the stages, the largest difference first.

    Args:
        facts: with `difference` of the cell, `stages` and `localisations`: see `explain`.
    """
    whole = facts["difference"]
    if not whole["differs"]:
        far = number(whole["difference"])
        return [
            "No difference: the cell gives the native answers up to rounding. No label changes, "
            f"and logits by at most {far} of an image's largest logit (tolerance "
            f"{facts['tolerance']:g})."
        ]
    rows = [row for row in facts["stages"] if row["differs"]]
    rows.sort(key=lambda row: -row["difference"] if row["difference"] is not None else -1e300)
    told = [line for row in rows for line in _stage(row, facts)]
    told += [
        f"What {row['name']} does isn't known: {row['why'].removeprefix('not known: ')}."
        for row in facts["stages"]
        if row["differs"] is None
    ]
    if told or facts.get("minimal"):
        return [*told, _whole(facts)]
    far = number(whole["difference"])
    return [
        f"The cell differs from the native one by {far} of an image's largest logit, but run again "
        "here no stage changes an answer: the prediction files may come from other machines."
    ]


def _whole(facts: dict) -> str:
    """What differs over all images of the cell, and how many of them were looked into."""
    whole = facts["difference"]
    far = "beyond any measure" if whole["difference"] is None else number(whole["difference"])
    return (
        f"Over all {whole['images']} images, {whole['labels_changed']} labels differ from the "
        f"native ones, and logits by up to {far} of an image's largest. The images with most of "
        f"the difference were looked into: {len(facts['images'])}."
    )


def _stage(row: dict, facts: dict) -> list[str]:
    effect = _effect(row)
    name, why = row["name"], row["why"]
    if row["stage"] == Stage.IMAGES:
        gone = " With the native cell's images the difference is gone." if row["alone"] else ""
        return [f"The images are prepared in another way ({why}), which {effect}.{gone}"]
    if row["stage"] == Stage.PRECISION:
        told = [f"Precision, not a fault: with {name}, {why}. That {effect}."]
        return told + (_kept(facts["losses"][row["losses"]]) if "losses" in row else [])
    if row["stage"] == Stage.RUNTIME:
        cause = f": {why}" if why else ""
        return [f"The runtime {name} {effect}{cause}."]
    if row["stage"] == Stage.IMPORT:
        return _import(row, facts, f"{effect}, before any pass")
    if row["stage"] in (Stage.PASSES, Stage.SCHEDULE):
        return []  # `formatting` tells of them
    if row["stage"] == Stage.DEVICE:
        return [f"{name} {effect}. Its kernels can't be compared on this machine's processor."]
    return _conversion(row, facts["localisations"][row["localisation"]], effect)


def _import(row: dict, facts: dict, effect: str) -> list[str]:
    name = f"TVM's import of {row['name']}"
    if "localisation" in row:
        found = facts["localisations"][row["localisation"]]
        return _conversion(row | {"name": name}, found, effect)
    return [f"{name} {effect}{': ' + row['why'] if row['why'] else ''}."]


def _kept(found: dict) -> list[str]:
    """Which layers, kept in float32, bring labels back."""
    if not found.get("changed"):
        return []
    names = ", ".join(f"`{name}`" for name in found["kept"])
    if names:
        return [f"{names} alone, kept in float32, bring all of these labels back (tried)."]
    return (
        [
            f"Up to {max(count for count, _ in found['tried'])} layers, kept in float32, leave "
            f"{found['left']} of these {found['changed']} labels changed (tried)."
        ]
        if found["tried"]
        else []
    )


def _effect(row: dict) -> str:
    far = number(row["difference"])
    labels = row["labels_changed"]
    changed = (
        f"changes {labels} of {row['images']} labels and" if labels else "changes no label, but"
    )
    if row["difference"] is None:
        return f"{changed} logits beyond any measure"
    return f"{changed} logits by up to {far} of an image's largest"


def _conversion(row: dict, found: dict, effect: str) -> list[str]:
    edge = row["name"]
    if "error" in found:
        error = found["error"]
        cause = error["message"]
        if error["type"] != operators.NO_TRACER:
            cause = f"a tool failed on the way ({error['type']}: {cause})"
        return [f"{edge} {effect}. The operator isn't known: {cause}."]
    if not found["faults"]:
        return [f"{edge} {effect}. The operator isn't known: {sentence(found['why'])}"]
    lines = [f"{edge} changed {fault_in_words(item)}." for item in found["faults"][:TOLD]]
    if len(found["faults"]) > TOLD:
        lines.append(f"The page lists {len(found['faults'])} faults of {edge}.")
    lines.append(f"{edge} {effect}.")
    if found["outcome"] == Outcome.PARTLY:
        lines.append(f"These faults don't explain all of it: {sentence(found['why'])}")
    return lines


def fault_in_words(fault: dict) -> str:
    """The suspect and what differs: `` `dense` (Gemm): no bias; the source has one; located``."""
    sure = "located" if fault["verdict"] == Verdict.LOCATED else "suspected"
    differences = "; ".join(item["what"] for item in fault["differences"][:2])
    return f"{suspect(fault)}: {differences or 'no attribute or parameter differs'} ({sure})"


def suspect(fault: dict) -> str:
    """The operator that is most likely at fault, with its format's name of its kind."""
    known = {item["name"]: item for item in fault["target_operators"]}
    first = next((item for item in fault["differences"] if item["target_operator"] in known), None)
    name = first["target_operator"] if first else next(iter(fault["ranked"]), "")
    if name in known:
        return f"`{name}` ({known[name]['native']})"
    missing = next((item["name"] for item in fault["source_operators"]), "")
    return (
        f"the place of the source's `{missing}`"
        if missing
        else f"what writes `{fault['behind'][1]}`"
    )
