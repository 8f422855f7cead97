"""From Snakemake's log events to the lines and the bar that a user sees."""

import logging
import os
import re
import sys
import time
from typing import Any

from snakemake_interface_logger_plugins.base import LogHandlerBase
from snakemake_interface_logger_plugins.common import LogEvent

from snakemake_logger_plugin_deltann import jobs, words

# What Snakemake says of its own work.
CHATTER = (
    "Assuming unrestricted shared filesystem usage.",
    "Using shell: ",
    "Group jobs: inactive",
    "Select jobs to execute...",
)
# The last words of a run in which jobs failed: as a message, and as an error.
FAILED = "Exiting because a job execution failed."
INCOMPLETE = "At least one job did not complete successfully."
# A message on a job, which it names by its number alone.
OF_JOB = re.compile(r"(?:Job|Trying to restart job) (\d+)\b")
SUBMITTED = re.compile(r"Job (\d+) has been submitted with SLURM jobid (\w+)")
LISTED = 10  # failed jobs, in the last words
# Events that print nothing themselves.
NOTED = (LogEvent.JOB_INFO, LogEvent.JOB_FINISHED)
STYLES = {logging.WARNING: "yellow", logging.ERROR: "red", logging.CRITICAL: "red"}


class LogHandler(LogHandlerBase):
    """Prints the events of a run. Snakemake calls it in a thread of its own."""

    def __post_init__(self) -> None:
        settings = self.common_settings
        self._as_it_is = settings.dryrun or settings.verbose or settings.debug_dag
        self._stream = sys.stdout if settings.stdout else sys.stderr
        self._jobs = jobs.Jobs()
        self._place = jobs.HERE
        self._finished: list[jobs.Job | None] = []
        self._commands: list[str] = []  # errors that have a job's whole command in them
        self._hides_jobs = False
        self._bar: Any = None
        self._printers = {
            None: self._message,
            LogEvent.RUN_INFO: self._plan,
            LogEvent.RESOURCES_INFO: self._resources,
            LogEvent.JOB_INFO: self._job_info,
            LogEvent.JOB_STARTED: lambda record: None,
            LogEvent.JOB_FINISHED: self._job_finished,
            LogEvent.PROGRESS: self._progress,
            LogEvent.JOB_ERROR: self._job_error,
            LogEvent.GROUP_INFO: lambda record: None,
            LogEvent.GROUP_ERROR: self._group_error,
            LogEvent.ERROR: self._error,
        }

    @property
    def writes_to_stream(self) -> bool:
        """It replaces what Snakemake prints."""
        return True

    @property
    def writes_to_file(self) -> bool:
        """Snakemake's own log stays as it is."""
        return False

    @property
    def has_filter(self) -> bool:
        """Snakemake's is taken, which knows --quiet."""
        return False

    @property
    def has_formatter(self) -> bool:
        """Snakemake's is taken, for what is printed as it is."""
        return False

    @property
    def needs_rulegraph(self) -> bool:
        """It draws no graph."""
        return False

    def filter(self, record: logging.LogRecord) -> bool:
        """Errors are printed whatever --quiet says, with the names of their jobs."""
        shown = record.levelno >= logging.ERROR or bool(super().filter(record))
        event = getattr(record, "event", None)
        self._hides_jobs |= event == LogEvent.JOB_INFO and not shown
        return shown or (event in NOTED and not self._as_it_is)

    def emit(self, record: logging.LogRecord) -> None:
        """Print what an event says, or note it."""
        event = getattr(record, "event", None)
        try:
            if self._as_it_is and event != LogEvent.ERROR:
                self._print_record(record)
            else:
                self._printers.get(event, self._print_record)(record)
        except BrokenPipeError:
            pass  # nobody reads any more: the run goes on
        except Exception:
            self.handleError(record)

    def close(self) -> None:
        """Take the bar away, print what was held back, and remember how long jobs took."""
        self._close_bar()
        for text in self._commands:
            self._print(text, logging.ERROR)
        self._commands.clear()
        if costs := self._jobs.costs():
            jobs.write_past(self._place, costs)
        super().close()

    def _print(self, text: str, level: int = logging.INFO) -> None:
        if self._bar:
            self._bar.print(text, STYLES.get(level, ""))
        else:
            self._stream.write(f"{text}\n")
            self._stream.flush()

    def _print_record(self, record: Any) -> None:
        text = self.format(record)
        if text not in ("", "None"):  # an event without a text
            self._print(text, record.levelno)

    def _message(self, record: Any) -> None:
        text = record.getMessage()
        submitted = SUBMITTED.match(text)
        if text.startswith(FAILED):
            self._close_bar()
            self._print(self._recap(), logging.ERROR)
        elif self._bar and submitted and int(submitted[1]) in self._jobs.running:
            self._jobs.running[int(submitted[1])].message += f" (Slurm job {submitted[2]})"
        elif not text.startswith(CHATTER):
            found = OF_JOB.match(text)
            message = self._jobs.messages.get(int(found[1])) if found else None
            said = f"{text.removesuffix('.')}: {message}" if message else text
            if said not in ("", "None"):
                self._print(said, record.levelno)

    def _resources(self, record: Any) -> None:
        if hasattr(record, "nodes"):
            self._place = jobs.CLUSTER

    def _plan(self, record: Any) -> None:
        steps = {rule: count for rule, count in record.stats.items() if rule != "total"}
        self._jobs.plan(steps, jobs.read_past(self._place))
        shown = {rule: count for rule, count in steps.items() if rule != jobs.TARGET}
        ordered = sorted(shown.items(), key=lambda item: -item[1])
        listed = ", ".join(f"{rule} {count}" for rule, count in ordered)
        self._print(f"{words.counted(self._jobs.total, 'step')}: {listed}")
        if self._stream.isatty() and os.environ.get("TERM", "dumb") not in ("dumb", "unknown"):
            # imported here, as only a terminal needs it
            from snakemake_logger_plugin_deltann.bar import Bar

            self._bar = Bar(self._stream, self._jobs, not self.common_settings.nocolor)

    def _job_info(self, record: Any) -> None:
        message = " ".join(str(record.rule_msg or "").split())
        if not message:
            names = ", ".join(f"{key}={value}" for key, value in record.wildcards.items())
            message = f"{record.rule_name} {names}".strip()
        self._jobs.start(record.jobid, record.rule_name, message)

    def _job_finished(self, record: Any) -> None:
        self._finished.append(self._jobs.finish(record.job_id))

    def _progress(self, record: Any) -> None:
        jobs_done, self._finished = self._finished, []
        self._jobs.done, self._jobs.total = record.done, record.total
        first = record.done - len(jobs_done) + 1
        for number, job in enumerate(jobs_done, first):
            if job and job.rule != jobs.TARGET and not (self._bar or self._hides_jobs):
                self._print(self._line(number, job))
        if record.done == record.total:
            self._close_bar()
        if record.done == record.total or (self._hides_jobs and not self._bar):
            self._print(words.steps(record.done, record.total))

    def _line(self, number: int, job: jobs.Job) -> str:
        """The line of a finished job: `[ 12/104] 11:00:51     27 s  Building …`."""
        total = self._jobs.total
        counted = f"[{number:{len(str(total))}}/{total}]"
        took = words.duration(self._jobs.seconds(job))
        return f"{counted} {time.strftime('%H:%M:%S')} {took:>11}  {job.message}"

    def _job_error(self, record: Any) -> None:
        job = self._jobs.fail(record.jobid, record.log)
        message = self._jobs.messages.get(record.jobid, "")
        head = f"Error in rule {record.rule_name}: {message}".removesuffix(": ")
        if record.indent:
            return  # one of a group, which said what failed
        ends = [words.exit_status(self._command_error(record.shellcmd))]
        if job:
            ends.append(f"after {words.duration(self._jobs.seconds(job))}")
        ended = " ".join(filter(None, ends))
        why = words.reason(record.rule_msg)
        body = [*([why] if why else []), *words.log_ends(record.log)]
        lines = [f"{head} ({ended})" if ended else head, *(f"  {line}" for line in body)]
        self._print("\n".join(lines), record.levelno)

    def _group_error(self, record: Any) -> None:
        job = getattr(record, "external_jobid", "")
        where = f" (job {job} of the cluster)" if job else ""
        count = len(record.job_error_info)
        lines = [f"Error in group {record.groupid}{where}, in one of its {count} jobs:"]
        logs = words.logs_of_failed_members(record.aux_logs) or record.aux_logs
        lines += [f"  {line}" for line in words.log_ends(logs)]
        self._print("\n".join(lines), record.levelno)

    def _error(self, record: Any) -> None:
        text = record.getMessage()
        if self._as_it_is:
            said = text if self.common_settings.verbose else words.error(text, record.exception)
            self._print(said, record.levelno)
        elif record.exception == "RuleException" and words.exit_status(text):
            self._commands.append(text)  # the job's error comes next, without the command
        elif INCOMPLETE not in text or not self._jobs.failed:  # else said, with the jobs' names
            self._print(words.error(text, record.exception), record.levelno)

    def _command_error(self, command: str | None) -> str:
        """Take the error of a job's command out of those that were held back."""
        for text in self._commands:
            if command and command in text:
                self._commands.remove(text)
                return text
        return ""

    def _recap(self) -> str:
        failed = list(self._jobs.failed.values())
        done, total = self._jobs.done, self._jobs.total
        lines = [f"{words.steps(done, total)}, {len(failed)} failed:" if total else "Failed:"]
        lines += [f"  {text}" for text in failed[:LISTED]]
        lines += [f"  … and {len(failed) - LISTED} more"] * (len(failed) > LISTED)
        return "\n".join(lines)

    def _close_bar(self) -> None:
        if self._bar:
            self._bar.close()
            self._bar = None
