"""The benchmark's tables, in markdown. NumPy is all that it needs."""

import math
from collections.abc import Mapping, Sequence

import numpy as np

# The contestant whose time is 1, and the share of an image's largest logit that float32 rounds.
REFERENCE, TOLERANCE = "PyTorch, float32", 1e-4
CONFIDENCE = 0.95
COLUMNS = ("", "labels changed", "largest difference", "ms", "ratio", "95 % interval", "loading, s")
DRY = "**Dry run on the CPU. Its times mean nothing.**"


def compare(logits: np.ndarray, expected: np.ndarray) -> dict:
    """How much answers differ from the processor's.

    Args:
        logits, expected: (images, classes) float32.

    Returns:
        `labels_changed`, of `images`; and `difference`, the largest over images of the largest
        difference of a logit, as a share of the image's largest absolute logit.

    Raises:
        ValueError: the shapes differ, or a logit isn't finite.
    """
    if logits.shape != expected.shape:
        raise ValueError(f"logits are {logits.shape}; expected {expected.shape}")
    if not np.isfinite(logits).all():
        raise ValueError("a logit isn't finite; expected numbers")
    changed = logits.argmax(axis=1) != expected.argmax(axis=1)
    shares = abs(logits - expected).max(axis=1) / abs(expected).max(axis=1)
    return {
        "images": len(expected),
        "labels_changed": int(changed.sum()),
        "difference": float(shares.max()),
    }


def ratio(baseline: Sequence, candidate: Sequence) -> tuple[float, float, float]:
    """The median over rounds of the candidate's time by the baseline's, with its interval.

    Args:
        baseline, candidate: of each round, the seconds of its runs. Rounds are paired; those that
            one of them lacks are left out.

    Returns:
        The median, and the ends of an interval that covers that of all rounds in 95 % of cases, by
        the ranks of the ratios (David, Nagaraja, "Order Statistics", 2003, chapter 7). The ends
        are NaN for fewer than six rounds.
    """
    shared = min(len(baseline), len(candidate))
    after, before = (
        np.array([np.median(turn) for turn in runs[:shared]]) for runs in (candidate, baseline)
    )
    ratios = np.sort(after / before)
    # the probability that at most k of the ratios are below the median, twice, is left outside
    outside, rank = 0.0, 0
    while True:
        outside += 2 * math.comb(shared, rank) / 2**shared
        if outside > 1 - CONFIDENCE:
            break
        rank += 1
    if rank == 0:
        return float(np.median(ratios)), math.nan, math.nan
    return float(np.median(ratios)), float(ratios[rank - 1]), float(ratios[-rank])


def markdown(results: Mapping) -> str:
    """The whole report of what `race.py` found."""
    machine = results["machine"]
    facts = [
        f"GPU: {machine['gpu']}",
        f"{machine['processor']}, {machine['threads']} threads, {machine['system']}",
        f"Python {machine['python']}, CUDA {machine['cuda']}, cuDNN {machine['cudnn']}",
    ]
    versions = {
        f"{package} {version}"
        for found in results["models"].values()
        for result in found.values()
        for package, version in result.get("versions", {}).items()
    }
    facts.append(", ".join(sorted(versions)))
    parts = [*([DRY] if results["dry"] else []), "; ".join(facts) + "."]
    for model, found in results["models"].items():
        parts += [f"### {model}", table(found), *notes(found)]
    if results["not_run"]:
        parts.append(f"Not run, the time was up: {', '.join(results['not_run'])}.")
    return "\n\n".join(parts) + "\n"


def table(found: Mapping[str, Mapping]) -> str:
    """The table of a model: a row for each contestant, also for one that failed."""
    lines = [f"| {' | '.join(COLUMNS)} |", f"| --- |{' ---: |' * (len(COLUMNS) - 1)}"]
    for name, result in found.items():
        lines.append(f"| {' | '.join(_row(name, result, found))} |")
    return "\n".join(lines)


def _row(name: str, result: Mapping, found: Mapping[str, Mapping]) -> list[str]:
    if "failed" in result:
        return [name, "failed", *[""] * (len(COLUMNS) - 2)]
    answers, seconds = result["answers"], result["seconds"]
    milliseconds, times = "", ["", ""]
    if seconds:
        milliseconds = f"{1000 * np.median(np.concatenate(seconds)):.2f}"
        if baseline := found.get(REFERENCE, {}).get("seconds"):
            middle, low, high = ratio(baseline, seconds)
            times = [f"{middle:.2f}", "" if math.isnan(low) else f"{low:.2f} to {high:.2f}"]
    return [
        name,
        f"{answers['labels_changed']} of {answers['images']}",
        f"{100 * answers['difference']:.2g} %",
        milliseconds,
        *times,
        f"{result['loading_seconds']:.0f}",
    ]


def notes(found: Mapping[str, Mapping]) -> list[str]:
    """What the table can't say: errors, and whose answers differ beyond rounding."""
    lines = [
        f"- {name} failed: {item['failed']}" for name, item in found.items() if "failed" in item
    ]
    ran = {name: item for name, item in found.items() if "failed" not in item}
    beyond = [name for name, item in ran.items() if item["answers"]["difference"] > TOLERANCE]
    if beyond:
        lines.append(
            f"- Beyond float32's rounding ({100 * TOLERANCE:g} % of an image's largest logit): "
            f"{'; '.join(beyond)}."
        )
    rounds = {len(item["seconds"]) for item in ran.values()}
    lines.append(f"- {' or '.join(map(str, sorted(rounds)))} rounds." if rounds else "- None ran.")
    for name, item in ran.items():
        if operators := item["operators"]:
            counts = ", ".join(f"{count} in {kind}" for kind, count in sorted(operators.items()))
            lines.append(f"- {name}: convolutions and matrix products computed {counts}.")
        if "same_as" in item:
            lines.append(
                f"- {name}: the library for GPUs is that of {item['same_as']} to the byte."
            )
        if "gpu_code" in item:
            lines.append(f"- {name}: code for GPUs: {item['gpu_code']}.")
    return ["\n".join(lines)]
