"""Published weights that are in no cache, found before any job starts."""

import socket
from urllib.parse import urlsplit

from deltann.errors import StudyError
from deltann.models import MissingFile

TIMEOUT = 3.0  # seconds


def check(missing: list[MissingFile]) -> None:
    """Refuse a study whose weights are neither here nor to be had.

    Args:
        missing: the files that the study needs and no cache holds.

    Raises:
        StudyError: one message that lists each file that can't be fetched, where it would come
            from and where to put it.
    """
    lost = [file for file in missing if file.by_hand or not reachable(file.url)]
    if lost:
        raise StudyError(message(lost))


def message(missing: list[MissingFile]) -> str:
    """What to fetch from where, and where to put it."""
    lines = [f"  {file.what}: from {file.url} to {file.location}" for file in missing]
    return "\n".join(
        [
            f"config key weights: pretrained, but {len(missing)} files are missing and can't be "
            "fetched from here; expected each in its place (or weights: seeded):",
            *lines,
        ]
    )


def reachable(url: str) -> bool:
    """Whether the host of a URL answers on its port."""
    parts = urlsplit(url)
    try:
        with socket.create_connection((parts.hostname, parts.port or 443), timeout=TIMEOUT):
            return True
    except OSError:
        return False
