"""The texts of the console: durations, errors without Snakemake's own code, the end of a log."""

import builtins
import os
import re
from collections.abc import Sequence

# Of a job's log, what is shown of it when the job failed.
LAST_LINES, LONGEST_LINE, READ_BYTES = 10, 300, 65536
# Colours and other sequences of terminals (ECMA-48), and characters that print nothing.
ANSI = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[@-Z\\-_])")
CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
# What Snakemake puts around the message of an exception: where in the Snakefile it was raised.
PLACE = re.compile(
    r'\A(?:RuleException:\n)?WorkflowError(?: in (?:rule \S+ in )?file ".*", .*)?:\n'
)
FRAME = re.compile(r'\n  File ".*", line \d+, in .*')
EXIT = re.compile(r"returned non-zero (exit status \d+)\.|died with <Signals\.(\w+): \d+>\.")
# In the log of a group's job: the log of a member that failed.
MEMBER_LOG = re.compile(r"    log: (.+?) \(check log file")
SEE_LOGS = "For further error details see the cluster/cloud log and the log files of the involved"


def duration(seconds: float) -> str:
    """A duration in words: `7 s`, `3 min 5 s`, `2 h 10 min`."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"


def time_left(seconds: float, known: bool) -> str:
    """The time left in words, `?` if nothing is known of it.

    Args:
        seconds: what the known steps will take.
        known: whether all steps are known.
    """
    if not known and not seconds:
        return "time left: ?"
    precision = 1 if seconds < 60 else 10 if seconds < 600 else 60
    text = duration(precision * round(seconds / precision)).removesuffix(" 0 s")
    return f"{'about' if known else 'over'} {text} left"


def percentage(done: int, total: int) -> str:
    """A part of a total in whole percent; 100 only if all is done."""
    return f"{100 * done // total if total else 100}%"


def counted(count: int, noun: str) -> str:
    """A number of things: `1 step`, `2 steps`."""
    return f"{count} {noun}" + "s" * (count != 1)


def steps(done: int, total: int) -> str:
    """How much of a run is done."""
    return f"{done} of {total} steps ({percentage(done, total)}) done"


def error(text: str, exception: str) -> str:
    """What an error says, without the code of the workflow or of Snakemake that raised it.

    Args:
        text: Snakemake's: the message, or a whole traceback.
        exception: the name of the exception's class.
    """
    if PLACE.match(text):
        return f"Error: {PLACE.sub('', FRAME.sub('', text)).strip()}"
    kind = getattr(builtins, exception, None)
    if isinstance(kind, type) and issubclass(kind, OSError):  # the machine's fault: no bug
        return f"Error: {text.strip().splitlines()[-1].removeprefix(f'{exception}: ')}"
    return text


def exit_status(text: str) -> str:
    """How a job's command ended, from Snakemake's error: `exit status 1`, `SIGKILL`, or nothing."""
    found = EXIT.search(text)
    return (found[1] or found[2]) if found else ""


def reason(message: object) -> str:
    """Why a job failed, in the executor's words, without its advice to look at the logs."""
    return str(message or "").split(SEE_LOGS)[0].strip()


def log_ends(paths: Sequence[str]) -> list[str]:
    """The logs of a failed job, with the last lines of the first that has any."""
    texts = [_end(path) for path in paths]
    lines = next((lines for text in texts if (lines := _last_lines(text))), [])
    named = [f"log: {path}{_missing(text)}" for path, text in zip(paths, texts, strict=True)]
    return [*(f"  {line}" for line in lines), *named]


def logs_of_failed_members(paths: Sequence[str]) -> list[str]:
    """The logs of the jobs of a group that failed, from what the group's own Snakemake said."""
    return list(
        dict.fromkeys(log for path in paths for log in MEMBER_LOG.findall(_end(path) or ""))
    )


def _end(path: str) -> str | None:
    """The end of a file; None if there is no such file."""
    try:
        with open(path, "rb") as stream:
            stream.seek(0, os.SEEK_END)
            stream.seek(max(stream.tell() - READ_BYTES, 0))
            return stream.read().decode(errors="replace")
    except OSError:
        return None


def _missing(text: str | None) -> str:
    return " (not there)" if text is None else "" if text.strip() else " (empty)"


def _last_lines(text: str | None) -> list[str]:
    lines = [_clean(line) for line in (text or "").split("\n")]
    return [line for line in lines if line.strip()][-LAST_LINES:]


def _clean(line: str) -> str:
    """A line as a terminal would show it: the last state of a progress bar, without colours."""
    line = ANSI.sub("", line).rstrip("\r").rsplit("\r", 1)[-1]
    line = CONTROL.sub("", line).rstrip()
    return line if len(line) <= LONGEST_LINE else f"{line[: LONGEST_LINE - 1]}…"
