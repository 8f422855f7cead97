"""Exceptions that a user sees as one sentence, without a traceback, or that mean another try."""

from collections.abc import Iterable
from difflib import get_close_matches


class StudyError(Exception):
    """A fault the user can mend: the message names the file or key, and what is expected."""


class Transient(Exception):
    """An end that could be the machine's fault, while Snakemake has retries left."""


class Unreachable(Exception):
    """A device on another machine that doesn't answer: could be the machine's fault, too."""


def did_you_mean(word: object, known: Iterable[object]) -> str:
    """The end of a message about an unknown word: the closest known one, or nothing."""
    by_lower = {str(name).lower(): name for name in known}
    close = get_close_matches(str(word).lower(), by_lower, n=1)
    return f"; did you mean {by_lower[close[0]]!r}?" if close else ""


def check_known(key: str, word: str, known: Iterable[str], what: str) -> None:
    """Check that a word of the config is one of those known.

    Args:
        key: the config's key.
        word: its value, or a part of it.
        known: the words that are allowed.
        what: what the word names: `converter`.

    Raises:
        StudyError: naming the key, the word, those known and the closest of them.
    """
    known = list(dict.fromkeys(known))
    if word not in known:
        raise StudyError(
            f"config key {key}: unknown {what} {word!r}; expected one of {', '.join(known)}"
            f"{did_you_mean(word, known)}"
        )
