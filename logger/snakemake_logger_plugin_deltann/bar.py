"""The progress bar of a terminal: what runs now, how much is done, and the time left."""

from typing import Any, TextIO

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from snakemake_logger_plugin_deltann import words
from snakemake_logger_plugin_deltann.jobs import Jobs

# More often would take processor time from the jobs that are being timed.
REFRESHES_PER_SECOND = 1
# So many of the running jobs are shown.
ROWS = 8


class Bar:
    """A progress bar below what is printed. It vanishes when it is closed."""

    def __init__(self, stream: TextIO, jobs: Jobs, colour: bool):
        self._jobs = jobs
        style: dict[str, Any] = {"no_color": not colour, "highlight": False, "markup": False}
        self._console = Console(file=stream, force_terminal=True, emoji=False, **style)
        self._live = Live(
            get_renderable=self._render,
            console=self._console,
            refresh_per_second=REFRESHES_PER_SECOND,
            transient=True,
            redirect_stdout=False,
        )
        self._live.start()
        self._console.show_cursor(True)  # a killed run would leave the terminal without one

    def print(self, text: str, style: str) -> None:
        """Print above the bar."""
        self._console.print(Text(text, style), soft_wrap=True)

    def close(self) -> None:
        """Take the bar away."""
        self._live.stop()

    def _render(self) -> RenderableType:
        running = list(self._jobs.running.values())
        table = Table.grid(padding=(0, 2), expand=True)
        table.add_column(ratio=1, no_wrap=True, overflow="ellipsis")
        table.add_column(justify="right", no_wrap=True)
        for job in running[:ROWS]:
            table.add_row(Text(job.message), words.duration(self._jobs.seconds(job)))
        if len(running) > ROWS:
            table.add_row(Text(f"… and {len(running) - ROWS} more", "dim"), "")
        return Group(table, self._status())

    def _status(self) -> RenderableType:
        jobs = self._jobs
        failed = [f"{len(jobs.failed)} failed"] if jobs.failed else []
        left = words.time_left(*jobs.left())
        said = [f"{jobs.done} of {jobs.total}", *failed, words.duration(jobs.elapsed()), left]
        line = Table.grid(padding=(0, 2), expand=True)
        line.add_column(ratio=1)
        line.add_column(no_wrap=True)
        bar = ProgressBar(
            jobs.total or 1, jobs.done, complete_style="green", finished_style="green"
        )
        line.add_row(bar, Text(", ".join(said)))
        return line
