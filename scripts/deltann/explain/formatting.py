"""What was found, in sentences."""

from deltann.explain import SCHEDULE


def number(value: float | None) -> str:
    """A difference for reading; `not finite` for None."""
    return "not finite" if value is None else f"{value:.3g}"


def sentences(facts: dict) -> list[str]:
    """The verdict, most important first.

    Args:
        facts: of `search.explain`, with `same_inputs`: whether the cell and the native one saw
            the same prepared images.
    """
    return [*_labels(facts), *_before(facts), *_switches(facts), *_kernel(facts), *_again(facts)]


def _labels(facts: dict) -> list[str]:
    if facts["labels_differ"]:
        count = len(facts["images"])
        return [f"The cell's labels differ from the native ones; looked at here: {count} image(s)."]
    far = number(facts["images"][0]["compiled"]["difference"])
    return [
        "No label differs from the native ones. Looked at here: the image with the largest "
        f"difference of a logit, {far} of its largest logit."
    ]


def _before(facts: dict) -> list[str]:
    if not facts["before_passes"]["differs"]:
        return []
    source = "the import or the conversion"
    if not facts["same_inputs"]:
        source += ", or the images, which were prepared otherwise than the native cell's"
    far = number(facts["before_passes"]["difference"])
    return [
        f"A difference enters before any pass, by {source}: the reference, compiled without "
        f"passes and schedule, is {far} of an image's largest logit away from the native model. "
        "What follows is what passes and schedule add to that."
    ]


def _switches(facts: dict) -> list[str]:
    if not facts["switches"]:
        return ["The cell has no pass and no schedule that could be switched off."]
    if not facts["minimal"]:
        far = number(facts["sets"][-1]["difference"])
        return [
            "Passes and schedule make no difference: with all of them, the logits stay within "
            f"{far} of an image's largest logit of those without (tolerance "
            f"{facts['tolerance']:g})."
        ]
    what = "labels" if facts["criterion"] == "labels" else "logits"
    if len(facts["minimal"]) == 1:
        return [f"{facts['minimal'][0]}, by itself, changes {what}."]
    names = " and ".join(facts["minimal"])
    return [f"{names} change {what} together; without any one of them, {what} stay."]


def _kernel(facts: dict) -> list[str]:
    if not facts["minimal"]:
        return []
    kernel = facts["kernel"]
    if "kernel_error" in facts:
        return [f"The kernels could not be compared: {facts['kernel_error']}."]
    if kernel is None:
        return [
            "No kernel's result is beyond the tolerance: the difference is one of rounding that "
            "adds up."
        ]
    where = f"The difference enters at the kernel {kernel['name']} (#{kernel['number']})"
    if kernel["difference"] is None:
        return [f"{where}, whose result has no counterpart in {facts['compared_with']}."]
    found = kernel["difference"]
    whose = f"of {found['elements']} elements, {found['differing']} differ"
    far = number(found["largest"])
    lines = [
        f"{where}: {whose}, by up to {far}, from what {kernel['should_be']} gives in "
        f"{facts['compared_with']}."
    ]
    if kernel["rerouted"]:
        lines.append(
            "It reads the tensors that it should, but not each in its place: "
            f"{' and '.join(kernel['rerouted'])} give one another's."
        )
    scheduled = any(item.startswith(SCHEDULE) for item in facts["minimal"])
    if scheduled and facts["compared_with"] != "the reference":
        lines.append("The same kernel, unscheduled, gives the right result: it is the schedule.")
    return lines


def _again(facts: dict) -> list[str]:
    if facts["reproduced"]["same"]:
        return []
    far = number(facts["reproduced"]["difference"])
    return [
        f"Compiled again here, the cell's logits are {far} of an image's largest logit away from "
        "those in its prediction file: it may have been made on another machine, or answer "
        "otherwise each time."
    ]
