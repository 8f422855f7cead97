"""What the search among passes found, in sentences."""

import re
from html import escape

from deltann.explain import SCHEDULE


def sentence(text: str) -> str:
    """A text with a capital and a full stop."""
    return text[:1].upper() + text[1:].rstrip(".") + "."


def marked(text: str) -> str:
    """A text as HTML: escaped, and what stands in backquotes as code."""
    return re.sub("`([^`]+)`", r"<code>\1</code>", escape(text))


def number(value: float | None) -> str:
    """A difference as text; `not finite` for None."""
    return "not finite" if value is None else f"{value:.3g}"


def sentences(facts: dict) -> list[str]:
    """What passes, schedule and kernel do to a compiled cell, most important first.

    Args:
        facts: those of `search.search`.
    """
    return [*_switches(facts), *_kernel(facts), *_again(facts)]


def _switches(facts: dict) -> list[str]:
    if not facts["switches"]:
        return ["The cell has no pass and no schedule to switch off."]
    if not facts["minimal"]:
        far = number(facts["sets"][-1]["difference"])
        return [
            "Passes and schedule make no difference: with all of them, the logits differ from "
            f"those without by {far} of an image's largest logit (tolerance "
            f"{facts['tolerance']:g})."
        ]
    what = "labels" if facts["criterion"] == "labels" else "logits"
    if len(facts["minimal"]) == 1:
        return [f"{facts['minimal'][0]} alone changes {what}."]
    names = " and ".join(facts["minimal"])
    return [f"{names} change {what} together. Without any one of them, {what} stay the same."]


def _kernel(facts: dict) -> list[str]:
    if not facts["minimal"]:
        return []
    kernel = facts["kernel"]
    if "kernel_error" in facts:
        return [f"The kernels can't be compared: {facts['kernel_error']}."]
    if kernel is None:
        return [
            "No kernel's result differs beyond the tolerance: the difference is rounding that adds "
            "up."
        ]
    where = f"The difference enters at the kernel {kernel['name']} (#{kernel['number']})"
    if kernel["difference"] is None:
        return [f"{where}, whose result has no counterpart in {facts['compared_with']}."]
    difference = kernel["difference"]
    far = number(difference["largest"])
    lines = [
        f"{where}: {difference['differing']} of {difference['elements']} elements differ, by up to "
        f"{far}, from the result of {kernel['should_be']} in {facts['compared_with']}."
    ]
    if kernel["rerouted"]:
        lines.append(
            "It reads the right tensors in the wrong order: those of "
            f"{' and '.join(kernel['rerouted'])} are swapped."
        )
    scheduled = any(item.startswith(SCHEDULE) for item in facts["minimal"])
    if scheduled and facts["compared_with"] != "the reference":
        lines.append("The same kernel without the schedule is right: the schedule is the cause.")
    return lines


def _again(facts: dict) -> list[str]:
    if facts["reproduced"]["same"]:
        return []
    far = number(facts["reproduced"]["difference"])
    return [
        "Compiled again here, the cell's logits differ from those in its prediction file by "
        f"{far} of an image's largest logit. The file may come from another machine, or the cell's "
        "answers may change from run to run."
    ]
