"""What each factor changes alone: labels, logits and accuracy, and how sure that is."""

from collections.abc import Iterator

from deltann.precision import UNASKED
from deltann.summary.facts import Facts
from deltann.summary.formatting import NAMED, cell, count, share, some
from deltann.tables import factors
from deltann.tolerance import TOLERANCE

NOTHING = "Labels and logits: nothing to compare"
PAIRS = "Each line is about pairs of cells that differ only in what it names"


def lines(facts: list[Facts]) -> list[str]:
    """One line per factor that varies, each with its largest changes, and one for the others."""
    varied = [fact for fact in facts if len(fact.rows)]
    ran = [fact for fact in varied if len(fact.ran)]
    said = [PAIRS if ran else NOTHING]
    said += [line for fact in varied for line in _factor(fact)]
    if ran and not any(fact.labelled for fact in ran):
        said.append("Accuracy: unknown, as no image has a true label")
    return said + _constant(facts)


def _factor(fact: Facts) -> Iterator[str]:
    title = fact.words.title
    parts = [_labels(fact)] if len(fact.ran) else []
    parts += [f"{count(len(fact.failed), 'cell')} failed"] if len(fact.failed) else []
    if fact.unknown:
        parts.append(f"{count(fact.unknown, 'pair')} can't be compared, as the other cell failed")
    text = f"{title}, {count(fact.names.nunique(), fact.words.choice)}: {'; '.join(parts)}"
    yield f"{text}. {_logits(fact)}{_accuracy(fact)}" if len(fact.ran) else text
    for _, row in fact.changed.head(NAMED).iterrows():
        yield f"{title}: {fact.words.pair(row)}: {share(row)}"
    yield from _unasked(fact)


def _unasked(fact: Facts) -> Iterator[str]:
    """Precisions that a runtime chose by itself: nobody asked for them."""
    if fact.factor != factors.PRECISION:
        return
    chosen = fact.ran[fact.ran["cause"].str.startswith(UNASKED)]
    for (precision, cause), rows in chosen.groupby(["value", "cause"], sort=False):
        yield (
            f"{fact.words.title}: nobody asked for {precision}: it is {cause}, in "
            f"{count(len(rows), 'cell')}: "
            f"{some([cell(row) for _, row in rows.iterrows()], '; ')}"
        )


def _labels(fact: Facts) -> str:
    pairs = count(len(fact.ran), "pair")
    if len(fact.changed):
        images = count(len(fact.images), "image")
        return f"{len(fact.changed)} of {pairs} changed labels, on {images} in all"
    least = fact.largest("percent_high")
    images = count(int(least["n"]), "image")
    images += " or more each" if fact.ran["n"].nunique() > 1 else " each"
    interval = f"95 % interval 0 to {least['percent_high']:.1f} %"
    return f"0 of {pairs} changed labels (0 of {images}; {interval})"


def _logits(fact: Facts) -> str:
    absolute = fact.largest("max_logit_difference")
    relative = fact.largest("max_relative_logit_difference")
    if absolute["max_logit_difference"] == 0:
        return "All logits are equal"
    by = f"{absolute['max_logit_difference']:.3g}"
    share_ = f"{100 * relative['max_relative_logit_difference']:.3g} % of an image's largest logit"
    if relative["max_relative_logit_difference"] <= TOLERANCE:
        return f"Logits differ only by rounding: by at most {by}, and by at most {share_}"
    if absolute.name == relative.name:
        return (
            f"Logits differ by at most {by}, and by at most {share_}, both in "
            f"{fact.words.pair(relative)}"
        )
    return (
        f"Logits differ by at most {by}, in {fact.words.pair(absolute)}, and by at most {share_}, "
        f"in {fact.words.pair(relative)}"
    )


def _accuracy(fact: Facts) -> str:
    if not fact.labelled:
        return ""
    if fact.moved.empty:
        return ". No answer turned wrong or right"
    row = fact.moved.iloc[0]
    return (
        f". Answers turned wrong or right in {count(len(fact.moved), 'pair')}, most in "
        f"{fact.words.pair(row)}: {int(row['correct_to_wrong'])} wrong, "
        f"{int(row['wrong_to_correct'])} right, of {count(int(row['n_labelled']), 'image')} "
        f"(McNemar p = {row['mcnemar_p']:.2g})"
    )


def _constant(facts: list[Facts]) -> list[str]:
    """What doesn't vary, so that the study says nothing about it."""
    names = [fact.words.title for fact in facts if fact.rows.empty]
    names = [
        name if name.startswith("Frameworks") else name[0].lower() + name[1:] for name in names
    ]
    return [f"Doesn't vary in this study: {', '.join(names)}"] if names else []
