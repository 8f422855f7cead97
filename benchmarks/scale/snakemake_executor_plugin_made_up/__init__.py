"""An executor that makes outputs up in Snakemake's own process: its own time is what is left."""

import sys
from pathlib import Path

from snakemake_interface_executor_plugins.executors.base import SubmittedJobInfo
from snakemake_interface_executor_plugins.executors.real import RealExecutor
from snakemake_interface_executor_plugins.jobs import JobExecutorInterface
from snakemake_interface_executor_plugins.settings import CommonSettings, ExecMode

common_settings = CommonSettings(
    non_local_exec=False,
    implies_no_shared_fs=False,
    job_deploy_sources=False,
    pass_envvar_declarations_to_cmd=False,
    auto_deploy_default_storage_provider=False,
)


class Executor(RealExecutor):
    """Writes a line of text as each output and benchmark, and reports each job as done at once."""

    def run_job(self, job: JobExecutorInterface) -> None:
        """Write the outputs, and say so."""
        info = SubmittedJobInfo(job=job)
        self.report_job_submission(info)
        for output in map(Path, [*job.output, *filter(None, [job.benchmark])]):
            output.parent.mkdir(parents=True, exist_ok=True)
            output.write_text(f"made up: {output.name}\n", encoding="utf-8")
        self.report_job_success(info)

    @property
    def cores(self) -> int:
        """Those of the command line."""
        return self.workflow.resource_settings.cores

    def get_exec_mode(self) -> ExecMode:
        """That of Snakemake's own process: nothing is started."""
        return ExecMode.DEFAULT

    def get_python_executable(self) -> str:
        """The one that runs."""
        return sys.executable

    def cancel(self) -> None:
        """Nothing is ever under way."""

    def shutdown(self) -> None:
        """Nothing to end."""
