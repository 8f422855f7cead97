"""The memory of a process and all its descendants."""

import time

import psutil

# Looking for descendants reads every process of the machine: 2 ms, which would disturb a timed run.
SEARCH_SECONDS = 0.5


class ProcessTree:
    """A process and its descendants."""

    def __init__(self, pid: int):
        self._pid = pid
        self._members: list[psutil.Process] = []
        self._searched = -SEARCH_SECONDS

    def resident_bytes(self) -> int:
        """Resident memory in bytes of all of them; 0 if the process is gone."""
        if time.monotonic() - self._searched >= SEARCH_SECONDS:
            self._members, self._searched = self._search(), time.monotonic()
        total = 0
        for member in self._members:
            try:
                total += member.memory_info().rss
            except psutil.NoSuchProcess:
                continue
        return total

    def _search(self) -> list[psutil.Process]:
        try:
            process = psutil.Process(self._pid)
            return [process, *process.children(recursive=True)]
        except psutil.NoSuchProcess:
            return []
