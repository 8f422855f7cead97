"""What Snakemake prints while a study runs: `snakemake --logger deltann`, the profile's default.

On a terminal a progress bar shows what runs now and the time left. In a pipe or a file each
finished job is one line. A job that failed shows the end of its log. Snakemake's own log in
.snakemake/log has everything. A dry run and `--verbose` print what Snakemake prints without this.

Snakemake imports this package before the workflow, from the repository of `.venv`. The workflow may
be in another one, as in tests. So nothing here imports `deltann`.
"""

from snakemake_logger_plugin_deltann.handler import LogHandler

__all__ = ["LogHandler"]
