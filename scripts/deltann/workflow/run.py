"""The start of a run and of a cluster's job: hold the folder, and end what a killed run left."""

import os
import shlex
import time
from pathlib import Path
from typing import Any

from snakemake.logging import logger

from deltann import fencing
from deltann.errors import StudyError
from deltann.provenance import files
from deltann.study import resolved
from deltann.workflow import slurm, snakemake_internals
from deltann.workflow.folder_lock import FolderLock

STATE = Path(".snakemake")
# The config of the run that holds the folder, with its defaults filled in: what `save_config` and
# `list_cells` read. A command line could be too long for it.
RESOLVED_CONFIG = STATE / "deltann.config.json"


def check_working_directory(repository: str) -> None:
    """Make sure that Snakemake works in the repository's folder.

    Environments, scripts and results are named relative to it, in records and on command lines.

    Raises:
        StudyError: it works elsewhere, by `--directory`, or by `--snakefile` from another folder.
    """
    here = Path.cwd()
    if not here.samefile(repository):
        raise StudyError(
            f"the working directory is {here}; expected {repository}, the folder of the Snakefile. "
            f"Run `cd {shlex.quote(str(repository))}`, and Snakemake there without --directory. "
            "For results on another disk, make `results` a link to a folder there"
        )


class Run:
    """A run of the workflow.

    Attributes:
        refusal: why this run may not execute a job: another run holds the folder.
    """

    def __init__(self, workflow: Any, config: dict):
        self.refusal = ""
        self._workflow = workflow
        self._config = config
        self._own_job = os.environ.get("SLURM_JOB_ID")  # the executor hides it before it submits
        self._lock: FolderLock | None = None

    def begin(self, local: bool) -> None:
        """Hold the folder, and end what a killed run left, before the jobs are planned.

        Args:
            local: whether the jobs run on this machine.

        Raises:
            StudyError: jobs of an earlier run don't end, or the cluster doesn't answer.
            OSError: the folder can't be written to.
        """
        try:
            self._lock = FolderLock(STATE)
        except StudyError as error:
            # not an error if there is nothing to do, as for `make verify` during a run
            self.refusal = str(error)
            return
        fencing.pass_token(self._lock.token, self._lock.owner)
        fencing.pass_starter()
        self._cancel_left_behind(local)
        if self._lock.after_a_kill:
            time.sleep(fencing.SETTLE_SECONDS)  # processes that the cluster has lost end by then
            self._cancel_left_behind(local)  # jobs that were still being submitted
        files.write_text(RESOLVED_CONFIG, resolved.config_text(self._config))

    def begin_in_job(self, local: bool) -> None:
        """Stop this job when the run that started it no longer holds the folder, now or later.

        Args:
            local: not used; as for `begin`.

        Raises:
            StudyError: the run doesn't hold the folder.
        """
        fencing.check()
        fencing.watch_snakemake()
        fencing.pass_starter()
        snakemake_internals.leave_output_alone(self._workflow)

    def _cancel_left_behind(self, local: bool) -> None:
        for job in slurm.cancel_left_behind(Path.cwd(), self._own_job, must=not local):
            logger.warning(f"Cancelled what an earlier run left on the cluster: {job}")
