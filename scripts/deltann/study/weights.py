"""Check before any job starts that published weights are in a cache or can be downloaded."""

import socket
from urllib.parse import urlsplit

from deltann.errors import StudyError
from deltann.models import MissingFile

TIMEOUT = 3.0  # seconds to connect to a host


def check(missing: list[MissingFile]) -> None:
    """Refuse a study if some of its weights can't be had.

    Args:
        missing: the files that the study needs and no cache holds.

    Raises:
        StudyError: lists each file that can't be downloaded, its URL, and where to put it.
    """
    unavailable = [file for file in missing if file.by_hand or not reachable(file.url)]
    if unavailable:
        raise StudyError(message(unavailable))


def message(missing: list[MissingFile]) -> str:
    """Which files to download by hand, from where, and where to put them."""
    lines = [f"  {file.what}: from {file.url} to {file.location}" for file in missing]
    return "\n".join(
        [
            f"config key weights: pretrained, but {len(missing)} files are missing and can't be "
            "downloaded from here. Put each where it is expected, or set weights: seeded.",
            *lines,
        ]
    )


def reachable(url: str) -> bool:
    """Whether the host of a URL accepts connections."""
    parts = urlsplit(url)
    try:
        with socket.create_connection((parts.hostname, parts.port or 443), timeout=TIMEOUT):
            return True
    except OSError:
        return False
