"""What a repair came to, in sentences."""

from deltann.repair.edge import BETTER, NO_BETTER, RIGHT
from deltann.repair.outcomes import IMPROVED, NOT_REPAIRED, NOTHING, REPAIRED, UNREPAIRABLE


def of_repairs(outcomes: list[str], final: dict | None, compiled: bool, unjudged: bool) -> str:
    """One word for a cell.

    Args:
        outcomes: of each edge that changed answers, of `edge`.
        final: of `Walk.final`; None if no file was repaired.
        compiled: whether TVM's libraries of the file answer as it does.
        unjudged: whether the file at the end doesn't run, so that nothing is known of it.
    """
    if not outcomes:
        return NOT_REPAIRED if unjudged else NOTHING
    final_right = final is not None and final["better"] and not final["after"]["regressions"]
    if all(item == RIGHT for item in outcomes) and final_right and compiled:
        return REPAIRED
    return IMPROVED if {*outcomes} & {RIGHT, BETTER} and final_right else NOT_REPAIRED


def sentences(facts: dict) -> list[str]:
    """The verdict first, then what it rests on."""
    word, repairs = facts["outcome"], facts["repairs"]
    if word == NOTHING:
        skipped = [item["edge"] for item in facts["edges"] if item["lowers_precision"]]
        text = "Nothing to repair: no edge of the route changes answers beyond rounding"
        return [f"{text}, except where {' and '.join(skipped)} lowers the precision." if skipped
                else f"{text}."]  # fmt: skip
    lines = [f"{word.capitalize()}."]
    for name in facts["unjudged"]:
        lines.append(f"The file of {name} doesn't run, so nothing is known of it.")
    for item in repairs:
        lines.append(_edge(item))
    lines += [f"{facts['broken']}."] if facts["broken"] else []
    if facts["final"]:
        before, after = facts["final"]["before"], facts["final"]["after"]
        lines.append(
            f"The whole route, compared with the unconverted model: {_numbers(before, after)}."
        )
        if after["regressions"]:
            lines.append(f"{after['regressions']} images that agreed before differ now.")
    held = facts["images"]
    if not held["search"]:
        return lines
    added = f", {held['added']} among them" if held["added"] else ""
    lines.append(
        f"The search saw {len(held['search'])} images; {len(held['held_out'])} others decided"
        f"{added}."
    )
    lines += [_compiled(level, found) for level, found in facts["compiled"].items()]
    if facts["not_compiled"]:
        lines.append(f"Not compiled by TVM: {facts['not_compiled']}.")
    return lines


def _edge(item: dict) -> str:
    before, after = item["before"], item["after"]
    if item["outcome"] == NO_BETTER:
        tried = len(item["candidates"])
        said = f"none of {tried} candidates gives better answers"
        return (
            f"{item['edge']}: {said if tried else UNREPAIRABLE}"
            f" (labels wrong on {before['labels']} of {before['images']} images, logits off by"
            f" {_share(before)} of the largest)."
        )
    how = f"{item['kind']} ({item['candidate']})"
    return f"{item['edge']}: {how}: {_numbers(before, after)}."


def _numbers(before: dict, after: dict) -> str:
    """Two judgements in words."""
    return (
        f"labels wrong on {before['labels']} of {before['images']} images before, on"
        f" {after['labels']} now; logits off by {_share(before)} of the largest before, by"
        f" {_share(after)} now"
    )


def _share(judged: dict) -> str:
    return "infinity" if judged["difference"] is None else f"{judged['difference']:.2g}"


def _compiled(level: str, found: dict) -> str:
    if found["error"]:
        return f"TVM at {level}: {found['error']}"
    same = found["same"] and not found["before"]
    state = "the same answers as" if same else "other answers than"
    before = ", as of the file before" if found["before"] else ""
    return f"TVM at {level}: {state} the file in its own runtime ({_share(found)}){before}."
